"""Loading and saving take the same number of statements for one record, a hundred and a thousand.

Several statements travel in one message; each of them counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import IdentifierKind, IntegrationPoint
from customers.setup.integration_points import Point
from customers.setup.project_config import project_config
from dedup.engine.record import Operation, Record
from dedup.operations.base import Caller, Result
from dedup.operations.records import submit
from dedup.parsing.records import Parser

SIZES = (1, 100, 1000)
NOT_FOR_ONE = (0, 1)  # a single profile has nobody to be held apart from, so that is not asked
NAMED = {"personal": {"first_name": "Ann"}}


@pytest.fixture
def caller(db: None) -> Caller:
    row = IntegrationPoint.objects.create(system_name="website", name="Website", kind="website")
    IdentifierKind.objects.create(system_name="crm_id", name="CRM ID", category="unique")
    point = Point(id=row.pk, system_name="website", kind="website", personal_actions=True)
    return Caller(actor="system", point=point)


def parsed(caller: Caller, operation: Operation, bodies: list[dict[str, Any]]) -> list[Record]:
    parser = Parser(caller.point, project_config(), timezone.now())
    return [parser.record(operation, body) for body in bodies]


def sent(caller: Caller, operation: Operation, bodies: list[dict[str, Any]]) -> int:
    """How many statements it took to decide and store these."""
    records = parsed(caller, operation, bodies)
    with CaptureQueriesContext(connection) as queries:
        answers = submit(caller, records)
    assert [a for a in answers if not isinstance(a, Result)] == []
    return sum(1 + query["sql"].count(";\n") for query in queries)


def people(size: int, offset: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "ids": {"crm_id": f"{size}-{n}"},
            "email": f"p{size}-{n}@example.com",
            "mobile_phone": f"+1415{size + n + offset:07d}",
            "device_id": f"d{size}-{n}",
            "subscriptions": [{"channel": "email", "status": "subscribed"}],
            **NAMED,
        }
        for n in range(size)
    ]


def new(caller: Caller, size: int) -> int:
    return sent(caller, Operation.REGISTER, people(size))


def known(caller: Caller, size: int) -> int:
    submit(caller, parsed(caller, Operation.REGISTER, people(size)))
    return sent(caller, Operation.UPSERT, [{**p, "time_zone": "Europe/Berlin"} for p in people(size)])


def joining(caller: Caller, size: int) -> int:
    submit(caller, parsed(caller, Operation.REGISTER, people(size)))
    joins = [{"email": p["email"], "personal": {"last_name": "Lee"}} for p in people(size)]
    return sent(caller, Operation.REGISTER, joins)


def merging(caller: Caller, size: int) -> int:
    halves = [{"email": p["email"]} for p in people(size)] + [
        {"mobile_phone": p["mobile_phone"]} for p in people(size)
    ]
    submit(caller, parsed(caller, Operation.REGISTER, halves))
    whole = [{"email": p["email"], "mobile_phone": p["mobile_phone"]} for p in people(size)]
    return sent(caller, Operation.REGISTER, whole)


def conflicting(caller: Caller, size: int) -> int:
    submit(caller, parsed(caller, Operation.REGISTER, people(size)))
    rivals = [
        {"email": p["email"], "mobile_phone": f"+1212{size + n:07d}"} for n, p in enumerate(people(size))
    ]
    return sent(caller, Operation.REGISTER, rivals)


@pytest.mark.parametrize("story", [new, known, joining, merging, conflicting])
def test_the_number_of_statements_does_not_depend_on_the_number_of_records(
    caller: Caller, story: Callable[[Caller, int], int]
) -> None:
    one, hundred, thousand = (story(caller, size) for size in SIZES)
    assert hundred == thousand
    assert hundred - one in NOT_FOR_ONE
