"""What operations answer, as the API's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from customers.changes import OrderSaved, PointsAdded, PromoCodeIssued
from customers.errors import SelfsameError
from customers.history.reading import Item
from customers.presentation.customer import present
from customers.profile import Key
from customers.provisional import stored_id
from customers.setup.project_config import ProjectConfig
from dedup.engine.explain import Explanation, Match, Step
from dedup.engine.outcome import Conflict, Move, OutcomeStatus, Veto
from dedup.operations.base import Result
from dedup.wording import criterion_sentence, remedy_sentence, veto_sentence

CREATED, OK = 201, 200


def result_json(answer: Result, config: ProjectConfig) -> dict[str, Any]:
    """The answer of every operation on a customer. In a preview, the MaestraID of a customer that does
    not exist yet is null.
    """
    outcome = answer.outcome
    body: dict[str, Any] = {
        "status": outcome.status.value,
        "maestra_id": stored_id(answer.profile.maestra_id),
        "merged_maestra_ids": [merged.absorbed.maestra_id for merged in outcome.merges],
        "customer": present(answer.profile, config),
        "merge_ids": list(answer.merge_ids),
        "conflicts": [_conflict(conflict) for conflict in outcome.conflicts],
        "moved": [_move(move) for move in outcome.moved],
        "warnings": list(outcome.warnings),
    }
    if answer.preview_token is not None:
        body["preview_token"] = answer.preview_token
    return body


def _conflict(conflict: Conflict) -> dict[str, Any]:
    return {
        **named(conflict.key),
        "kept_by": stored_id(conflict.kept_by),
        "lost_by": stored_id(conflict.lost_by),
        "decided_by": conflict.criterion,
        "pending": conflict.pending,
    }


def _move(move: Move) -> dict[str, Any]:
    return {**named(move.key), "from": stored_id(move.giver), "to": stored_id(move.taker)}


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
        "sentence": veto_sentence(veto.name),
        "values": [list(veto.left), list(veto.right)],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.criterion,
        "sentence": criterion_sentence(step.criterion),
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
