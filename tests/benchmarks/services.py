"""One record per transaction, through `dedup.operations.records`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count

from customers.profile import EMAIL, Key
from customers.setup.project_config import project_config
from dedup.api.serialization import result_json
from dedup.engine.record import Operation
from dedup.operations.base import Result
from dedup.operations.lookups import lookup
from dedup.operations.records import submit_one
from tests.benchmarks.bare import Script, bare_connection, captured, send
from tests.benchmarks.measuring import Table, Work, alternating
from tests.benchmarks.people import Body, edit, numbers, parsed, parser, person, project, register

HEADINGS = ("one record", "ms", "bare ms", "ratio", "round trips", "aim")
NOTES = (
    "bare: the very statements of the operation, captured, sent about other people by psycopg alone.\n"
    "from JSON: the body is parsed, and the answer made and written as JSON."
)
AIMS = {"register": "≤ 2.5"}
MADE_UP = 1_000_000_000
"""From here on MaestraIDs and operation IDs that no sequence gave."""

made_up = count(MADE_UP)


def measured(repetitions: int) -> Table:
    table = Table("Through the service, one record per transaction", HEADINGS, notes=NOTES)
    project()
    register(numbers.take(2000))
    for name, prepare in PREPARED.items():
        ours, reference, script = prepare(repetitions)
        taken, bare = alternating(ours, reference)
        table.rows.append((name, taken, bare, taken / bare, script.round_trips, AIMS.get(name, "")))
    return table


Prepared = tuple[list[Work], list[Work], Script]


def _registered(repetitions: int, work: Callable[[Body], Work]) -> Prepared:
    """New people on either side."""
    sample, *people = numbers.take(2 * repetitions + 1)
    script = captured(work(person(sample)), sample)
    bare = partial(send, bare_connection(script))
    ours = [work(person(number)) for number in people[:repetitions]]
    reference: list[Work] = [
        partial(bare, script.about(number, next(made_up), next(made_up))) for number in people[repetitions:]
    ]
    return ours, reference, script


def _known(repetitions: int, work: Callable[[int], Work]) -> Prepared:
    """People registered before, others on either side."""
    ids = register(numbers.take(2 * repetitions + 1))
    sample, *people = ids
    script = captured(work(sample), sample, ids[sample])
    bare = partial(send, bare_connection(script))
    ours = [work(number) for number in people[:repetitions]]
    reference: list[Work] = [
        partial(bare, script.about(number, ids[number], next(made_up))) for number in people[repetitions:]
    ]
    return ours, reference, script


def submitting(operation: Operation, body: Body) -> Work:
    return partial(submit_one, project(), parsed(operation, body))


def submitting_json(operation: Operation, body: Body) -> Work:
    text = json.dumps(body)
    return lambda: _written(submit_one(project(), parsed(operation, json.loads(text))))


def look_up(number: int) -> Work:
    return partial(lookup, project(), Key(EMAIL, f"p{number}@example.com"))


def look_up_json(number: int) -> Work:
    text = json.dumps({"email": f"p{number}@example.com"})
    return lambda: _written(lookup(project(), parser().lookup(json.loads(text), "")))


def _written(answer: Result) -> str:
    return json.dumps(result_json(answer, project_config()))


PREPARED: Mapping[str, Callable[[int], Prepared]] = {
    "register": lambda n: _registered(n, partial(submitting, Operation.REGISTER)),
    "register, from JSON": lambda n: _registered(n, partial(submitting_json, Operation.REGISTER)),
    "upsert": lambda n: _known(n, lambda number: submitting(Operation.UPSERT, edit(number))),
    "upsert, from JSON": lambda n: _known(n, lambda number: submitting_json(Operation.UPSERT, edit(number))),
    "lookup": lambda n: _known(n, look_up),
    "lookup, from JSON": lambda n: _known(n, look_up_json),
}
