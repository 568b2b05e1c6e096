"""Results of operations as the JSON of the API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from customers.errors import SelfsameError
from customers.presentation.customer import Json, present
from customers.presentation.problem import problem_json
from customers.profile import Key
from customers.provisional import stored_id
from customers.setup.project_config import ProjectConfig
from dedup.engine.explain import Explanation, Match, Step
from dedup.engine.outcome import Conflict, Move, Veto
from dedup.engine.warnings import RecordWarning
from dedup.operations.base import Result, ResultOrError
from dedup.wording import criterion_sentence, remedy_sentence, veto_sentence, warning_sentence


def result_json(result: Result, config: ProjectConfig) -> dict[str, Any]:
    """What every operation on a customer answers. In a preview, a customer that does not exist yet has null
    for a MaestraID. Of an order that stands without a person there is no customer (R54).
    """
    outcome = result.outcome
    body: dict[str, Any] = {
        "status": outcome.status.value,
        "maestra_id": stored_id(result.profile.maestra_id),
        "merged_maestra_ids": [merged.absorbed.maestra_id for merged in outcome.merges],
        "customer": present(result.profile, config) if result.profile.members else None,
        "merge_ids": list(result.merge_ids),
        "conflicts": [_conflict_json(conflict) for conflict in outcome.conflicts],
        "moved": [_move_json(move) for move in outcome.moved],
        "warnings": [_warning_json(warning) for warning in outcome.warnings],
    }
    if result.preview_token is not None:
        body["preview_token"] = result.preview_token
    return body


def _conflict_json(conflict: Conflict) -> dict[str, Any]:
    return {
        **key_json(conflict.key),
        "kept_by": stored_id(conflict.kept_by),
        "lost_by": stored_id(conflict.lost_by),
        "decided_by": conflict.criterion,
        "pending": conflict.pending,
    }


def _move_json(move: Move) -> dict[str, Any]:
    return {**key_json(move.key), "from": stored_id(move.giver), "to": stored_id(move.taker)}


def _warning_json(warning: RecordWarning) -> dict[str, Any]:
    body: dict[str, Any] = {"code": warning.code.value, "detail": warning_sentence(warning)}
    if warning.path:
        body["path"] = warning.path
    if warning.fields:
        body["fields"] = list(warning.fields)
    if "retry_at" in warning.values:
        body["retry_at"] = warning.values["retry_at"]
    return body


def key_json(key: Key) -> dict[str, str]:
    return {"type": key.kind, "value": key.value}


def batch_json(results: Iterable[ResultOrError], config: ProjectConfig) -> list[dict[str, Any]]:
    """The items of a batch: a result, or the problem object of a record that failed."""
    return [
        problem_json(item) if isinstance(item, SelfsameError) else result_json(item, config)
        for item in results
    ]


# --- Explain ----------------------------------------------------------------------------------------------


def explanation_json(explanation: Explanation, became_one: Sequence[Json]) -> dict[str, Any]:
    """What two customers share, what keeps them apart, who has priority by which criterion, and what would
    have to change. Of two that are one: what made them one.
    """
    e = explanation
    deciding = next((step.criterion for step in e.steps if step.decides), None)
    return {
        "customers": [e.left.maestra_id, e.right.maestra_id],
        "is_one_customer": e.same,
        "became_one": list(became_one),
        "shared": [_match_json(match) for match in e.matches],
        "shares_payment_card": e.shares_payment_card,
        "vetoes": [_veto_json(veto) for veto in e.vetoes],
        "can_merge_by_request": e.by_hand and not e.same,
        "priority": {
            "maestra_id": e.priority,
            "decided_by": deciding,
            "contact": key_json(e.contact) if e.contact else None,
            "criteria": [_step_json(step) for step in e.steps],
        },
        "remedies": [{"name": remedy.value, "sentence": remedy_sentence(remedy)} for remedy in e.remedies],
    }


def _match_json(match: Match) -> dict[str, Any]:
    return {**key_json(match.key), "standing": [match.left.value, match.right.value]}


def _veto_json(veto: Veto) -> dict[str, Any]:
    return {
        "name": veto.name,
        "sentence": veto_sentence(veto.name),
        "values": [list(veto.left), list(veto.right)],
    }


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "name": step.criterion,
        "sentence": criterion_sentence(step.criterion),
        "values": [_weighed_json(step.left), _weighed_json(step.right)],
        "decides": step.decides,
    }


def _weighed_json(value: Any) -> Any:
    """What a criterion compared: a last action came as (is there one, when), a MaestraID as (is stored,
    negative), because the lower one wins, and anything else as yes or no.
    """
    match value:
        case (bool() as acted, datetime() as at):
            return {"acted": acted, "at": at.isoformat()}
        case (bool(), int() as negative):
            return -negative
        case _:
            return value
