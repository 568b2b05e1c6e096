"""R45: how many links and codes go out, and how many codes are tried."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from customers.changes import ConfirmationAsked
from customers.profile import Key
from dedup.engine.confirmations import (
    MESSAGES_OF_A_CUSTOMER,
    MESSAGES_TO_A_CONTACT,
    WRONG_CODES,
    Limit,
    free_from,
)
from dedup.engine.outcome import Outcome
from dedup.engine.record import Operation
from dedup.engine.resolve import resolve
from dedup.engine.warnings import WarningCode
from dedup.engine.world import Message, World
from tests.dedup.engine.builders import kinds, record, sent

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
ANN = Key("email", "ann@x")


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def decided(messages: Sequence[tuple[Key, Message]], *values: str) -> list[Outcome]:
    """A registration for each of these addresses, after these messages."""
    records = [
        record(Operation.REGISTER, 1, email=sent("email", value, must_be_confirmed=True)) for value in values
    ]
    world = World(kinds=kinds, new_ids=range(1, 100), messages=messages)
    outcomes = resolve(world, [replace(r, occurred_at=NOW) for r in records], NOW)
    return [outcome for outcome in outcomes if isinstance(outcome, Outcome)]


def is_asked(outcome: Outcome) -> bool:
    return any(isinstance(change, ConfirmationAsked) for change in outcome.changes)


def retry_at(outcome: Outcome) -> str | None:
    return next(
        (w.values["retry_at"] for w in outcome.warnings if w.code is WarningCode.CONFIRMATION_PAUSED), None
    )


@pytest.mark.parametrize(
    ("moments", "limits", "wait"),
    [
        ([], (Limit(1, timedelta(minutes=1)),), 0),
        ([ago(seconds=60)], (Limit(1, timedelta(minutes=1)),), 0),
        ([ago(seconds=59)], (Limit(1, timedelta(minutes=1)),), 1),
        ([ago(seconds=10), ago(seconds=50)], (Limit(2, timedelta(minutes=1)),), 10),
        ([ago(seconds=10), ago(seconds=50)], (Limit(1, timedelta(minutes=1)),), 50),
        ([ago(seconds=10)], (Limit(1, timedelta(seconds=20)), Limit(1, timedelta(minutes=1))), 50),
    ],
)
def test_one_more_is_allowed_once_every_limit_allows_it(
    moments: list[datetime], limits: tuple[Limit, ...], wait: int
):
    assert free_from(moments, limits, NOW) == NOW + timedelta(seconds=wait)


@pytest.mark.parametrize(
    ("messages", "again"),
    [
        ([(ANN, Message(7, ago(seconds=60)))], None),
        ([(ANN, Message(7, ago(seconds=20)))], "2026-01-05T10:00:40+00:00"),
        ([(ANN, Message(7, ago(hours=hour))) for hour in (1, 2, 3, 4, 20)], "2026-01-05T14:00:00+00:00"),
        ([(ANN, Message(7, ago(minutes=5), wrong_codes=5))], "2026-01-05T10:10:00+00:00"),
        ([(ANN, Message(7, ago(minutes=5), wrong_codes=4))], None),
        ([(Key("email", "bob@x"), Message(7, ago(seconds=1)))], None),
    ],
    ids=["a minute ago", "just now", "five a day", "five wrong codes", "four wrong codes", "another contact"],
)
def test_a_contact_is_written_to_a_minute_later_and_five_times_a_day(
    messages: list[tuple[Key, Message]], again: str | None
):
    """R45: whoever asks; and not while its codes are locked."""
    (outcome,) = decided(messages, ANN.value)
    assert (is_asked(outcome), retry_at(outcome)) == (again is None, again)


def test_whoever_claims_a_contact_in_one_batch_no_two_messages_go_to_it():
    """R45"""
    outcomes = decided([], ANN.value, ANN.value)
    assert [is_asked(outcome) for outcome in outcomes] == [True, False]


def test_a_customer_has_five_messages_sent_a_minute():
    """R45: however many contacts a record names."""
    contacts = [sent("email", f"ann{number}@x", must_be_confirmed=True) for number in range(7)]
    world = World(kinds=kinds, new_ids=range(1, 100))
    (outcome,) = resolve(world, [record(Operation.REGISTER, 1, email=contacts)], NOW)
    assert isinstance(outcome, Outcome)
    asked = [change for change in outcome.changes if isinstance(change, ConfirmationAsked)]
    assert (len(asked), len(outcome.warnings)) == (5, 2)


def test_the_limits_that_the_rulebook_names():
    """R45"""
    minute, day = timedelta(minutes=1), timedelta(days=1)
    assert (Limit(1, minute), Limit(5, day)) == MESSAGES_TO_A_CONTACT
    assert (Limit(5, minute), Limit(10, day)) == MESSAGES_OF_A_CUSTOMER
    assert (Limit(5, timedelta(minutes=15)),) == WRONG_CODES
