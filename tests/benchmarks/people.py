"""The project and the people that are measured with.

Everybody's values are made of one number of seven digits, so that the statements about one person turn into
those about another by replacing it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from customers.models import IdentifierKind, IntegrationPoint
from customers.setup.integration_points import point_of
from customers.setup.project_config import project_config
from dedup.engine.record import Operation, Record
from dedup.operations.base import Caller, Result
from dedup.operations.records import submit
from dedup.parsing.records import Parser

FIRST = 5_000_000
FIRST_MAESTRA_ID = 1_000_000
"""psycopg names the type of an array of IDs by their size, so all have the same."""
BATCH = 1000
Body = dict[str, Any]


class Numbers:
    """Numbers of people nobody has met yet."""

    def __init__(self) -> None:
        self.next = FIRST

    def take(self, count: int) -> list[int]:
        self.next += count
        return list(range(self.next - count, self.next))


numbers = Numbers()


@cache
def project() -> Caller:
    """Migrated tables, one kind of ID and one point; who asks through it."""
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER SEQUENCE customers_customer_id_seq RESTART WITH {FIRST_MAESTRA_ID}")
    IdentifierKind.objects.create(system_name="crm_id", name="CRM ID", category="unique")
    point = IntegrationPoint.objects.create(
        system_name="website", name="Website", kind="website", personal_actions=True
    )
    return Caller(actor="system", point=point_of(point))


def person(number: int) -> Body:
    """What a shop knows of a new customer."""
    return {
        "ids": {"crm_id": f"c{number}"},
        "email": f"p{number}@example.com",
        "mobile_phone": f"+1415{number}",
        "device_id": f"d-{number}",
        "personal": {"first_name": "Ann", "last_name": f"Lee{number}"},
        "subscriptions": [{"channel": "email", "status": "subscribed"}],
    }


def edit(number: int) -> Body:
    """The customer found by ID, with one new value."""
    return {"ids": {"crm_id": f"c{number}"}, "time_zone": "Europe/Berlin"}


def parser() -> Parser:
    return Parser(project().point, project_config(), timezone.now())


def parsed(operation: Operation, body: Any) -> Record:
    return parser().record(operation, body)


def submit_all(operation: Operation, bodies: list[Body]) -> list[Result]:
    answers = submit(project(), [parsed(operation, body) for body in bodies])
    done = [answer for answer in answers if isinstance(answer, Result)]
    assert len(done) == len(bodies), answers
    return done


def register(people: list[int]) -> dict[int, int]:
    """Register these people; their MaestraIDs by number."""
    found: dict[int, int] = {}
    for start in range(0, len(people), BATCH):
        some = people[start : start + BATCH]
        answers = submit_all(Operation.REGISTER, [person(number) for number in some])
        found.update(zip(some, (answer.profile.maestra_id for answer in answers), strict=True))
    return found
