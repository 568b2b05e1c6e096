"""What operations answer, as the API's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from customers.changes import Created, OrderSaved, PointsAdded, PromoCodeIssued
from customers.errors import SelfsameError
from customers.history.reading import Item
from customers.presentation.customer import present
from customers.profile import Key
from customers.setup.project_config import ProjectConfig
from dedup.engine.explain import Explanation, Match, Step
from dedup.engine.outcome import Conflict, Move, OutcomeStatus, Veto
from dedup.engine.priority import CRITERIA
from dedup.engine.vetoes import VETOES
from dedup.operations.base import Result
from dedup.wording import remedy_sentence

CREATED, OK = 201, 200


def result_json(answer: Result, config: ProjectConfig) -> dict[str, Any]:
    """The answer of every operation on a customer. In a preview, customers not created yet bear null for a
    MaestraID.
    """
    outcome = answer.outcome
    ids = _Ids(answer)
    body: dict[str, Any] = {
        "status": outcome.status.value,
        "maestra_id": ids.shown(answer.profile.maestra_id),
        "merged_maestra_ids": [merged.absorbed.maestra_id for merged in outcome.merges],
        "customer": present(answer.profile, config),
        "merge_ids": list(answer.merge_ids),
        "conflicts": [ids.conflict(conflict) for conflict in outcome.conflicts],
        "moved": [ids.move(move) for move in outcome.moved],
        "warnings": list(outcome.warnings),
    }
    if answer.preview_token is not None:
        body["customer"]["maestra_id"] = body["maestra_id"]
        body["preview_token"] = answer.preview_token
    return body


class _Ids:
    """MaestraIDs as the answer shows them: those a preview did not give are null."""

    def __init__(self, answer: Result) -> None:
        is_preview = answer.preview_token is not None
        created = (change.maestra_id for change in answer.outcome.changes if isinstance(change, Created))
        self.provisional = frozenset(created) if is_preview else frozenset()

    def shown(self, maestra_id: int) -> int | None:
        return None if maestra_id in self.provisional else maestra_id

    def conflict(self, conflict: Conflict) -> dict[str, Any]:
        return {
            **named(conflict.key),
            "kept_by": self.shown(conflict.kept_by),
            "lost_by": self.shown(conflict.lost_by),
            "decided_by": conflict.criterion,
            "pending": conflict.pending,
        }

    def move(self, move: Move) -> dict[str, Any]:
        return {**named(move.key), "from": self.shown(move.giver), "to": self.shown(move.taker)}


def named(key: Key) -> dict[str, str]:
    return {"type": key.kind, "value": key.value}


def status_of_record(answer: Result) -> int:
    """201 where a customer came into being."""
    return CREATED if answer.outcome.status is OutcomeStatus.CREATED else OK


def status_of_ledger(answer: Result) -> int:
    """201 where the order, movement or promo code is new."""
    for change in answer.outcome.changes:
        match change:
            case OrderSaved(before=None) | PointsAdded() | PromoCodeIssued():
                return CREATED
    return OK


def batch_json(answers: Iterable[Result | SelfsameError], config: ProjectConfig) -> list[dict[str, Any]]:
    """The items of a batch: an answer, or the problem object of the one that failed."""
    return [
        item.problem() if isinstance(item, SelfsameError) else result_json(item, config) for item in answers
    ]


# --- Explain
# --------------------------------------------------------------------------------------------------------

_SENTENCES: Mapping[str, str] = {
    function.__name__: " ".join((function.__doc__ or "").split()) for function in (*CRITERIA, *VETOES)
}


def explanation_json(explanation: Explanation, became_one: Sequence[Item]) -> dict[str, Any]:
    """Shared values, vetoes, priority criterion by criterion, and what would have to change, for two
    customers in order; what made them one, if they are.
    """
    e = explanation
    deciding = next((step.criterion for step in e.steps if step.decides), None)
    return {
        "customers": [e.left.maestra_id, e.right.maestra_id],
        "is_one_customer": e.same,
        "became_one": list(became_one),
        "shared": [_shared(match) for match in e.matches],
        "shares_payment_card": e.shares_payment_card,
        "vetoes": [_veto(veto) for veto in e.vetoes],
        "can_merge_by_request": e.by_hand and not e.same,
        "priority": {
            "maestra_id": e.priority,
            "decided_by": deciding,
            "contact": named(e.contact) if e.contact else None,
            "criteria": [_step(step) for step in e.steps],
        },
        "remedies": [{"name": remedy.value, "sentence": remedy_sentence(remedy)} for remedy in e.remedies],
    }


def _shared(match: Match) -> dict[str, Any]:
    return {**named(match.key), "standing": [match.left.value, match.right.value]}


def _veto(veto: Veto) -> dict[str, Any]:
    return {
        "name": veto.name,
        "sentence": _SENTENCES[veto.name],
        "values": [list(veto.left), list(veto.right)],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.criterion,
        "sentence": _SENTENCES[step.criterion],
        "values": [_weighed(step.left), _weighed(step.right)],
        "decides": step.decides,
    }


def _weighed(value: Any) -> Any:
    """What a criterion compares: yes or no, a time (with whether it is one of an action), or a MaestraID."""
    match value:
        case (bool() as acted, datetime() as at):
            return {"acted": acted, "at": at.isoformat()}
        case (bool(), int() as negative):
            return -negative
        case _:
            return value
