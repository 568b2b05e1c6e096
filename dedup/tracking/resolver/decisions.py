"""What the engine decides on runs of events."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from customers.errors import ErrorCode, SelfsameError
from dedup.operations.base import Caller, Result
from dedup.operations.records import submit_in_transaction
from dedup.tracking import failures
from dedup.tracking.resolver.attribution import Attribution
from dedup.tracking.resolver.runs import Run, device_key


def decide(runs: Sequence[Run], caller: Caller, attribution: Attribution) -> None:
    """Have the engine decide on all runs, and note whose their events are. Where others hold what turns up,
    the whole batch is tried again.
    """
    records = [run.record for run in runs]
    for run, decided in zip(runs, submit_in_transaction(caller, records, timezone.now()), strict=True):
        if isinstance(decided, Result):
            _note_owner(run, decided, caller, attribution)
        else:
            _note_refusal(run, decided, attribution)


def _note_owner(run: Run, decided: Result, caller: Caller, attribution: Attribution) -> None:
    """An identify call is no activity, so its event is dropped once it was decided on."""
    if run.is_identify_call:
        return
    first = run.events[0]
    origin_id = first.maestra_id
    if origin_id is None:
        assert first.device
        origin_id = decided.profile.holdings[device_key(first.device, caller.config)].origin
    attribution.assign([event.id for event in run.events], origin_id, decided.profile.maestra_id)
    attribution.counted.add(first.id)


def _note_refusal(run: Run, refusal: SelfsameError, attribution: Attribution) -> None:
    if refusal.code is ErrorCode.CUSTOMER_NOT_FOUND:
        return  # erased since the event came: nothing of it is kept (R54)
    attribution.failed.update((event.id, failures.refused(refusal)) for event in run.events)
