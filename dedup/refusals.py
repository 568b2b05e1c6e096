"""Refusals of the engine as errors, each with a sentence that says what to do next (section 12 of the
rules).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from django.utils.translation import gettext as _

from customers.contact_types import BY_NAME
from customers.errors import ErrorCode, SelfsameError, invalid
from customers.profile import Key
from dedup.engine.outcome import Refusal, RefusalCode, Veto


def error_of(refusal: Refusal) -> SelfsameError:
    """The error that a refusal of the engine becomes."""
    data = refusal.data
    match refusal.code:
        case RefusalCode.VALIDATION_ERROR:
            return invalid((data["field"], _("It belongs to another customer already.")))
        case RefusalCode.CUSTOMER_NOT_FOUND:
            return not_found(data["key"])
        case RefusalCode.AMBIGUOUS_CUSTOMER:
            return _ambiguous(data)
        case RefusalCode.TECHNICAL_ID_NOT_UNIQUE:
            return _technical_id(data)
        case RefusalCode.ALREADY_REGISTERED:
            return _registered(data)
        case RefusalCode.MERGE_BLOCKED:
            return merge_blocked(data["reasons"], maestra_ids=data["maestra_ids"])
        case _:
            assert_never(refusal.code)


def not_found(key: Key) -> SelfsameError:
    """Nobody has this value, or nobody whom this integration point may find by it (R18–R20)."""
    detail = _("No customer was found by %(kind)s. Check the value, or register the customer first.")
    return SelfsameError(ErrorCode.CUSTOMER_NOT_FOUND, detail % {"kind": key.kind}, kind=key.kind)


def merge_blocked(vetoes: Iterable[Veto], **data: Any) -> SelfsameError:
    """A merge that is forbidden, with every veto against it (R28)."""
    vetoes = list(vetoes)
    names = list(dict.fromkeys(v.name for v in vetoes))
    detail = _(
        "These customers may not be merged: %(reasons)s. "
        "Ask for an explanation of the pair to see what would help."
    )
    return SelfsameError(
        ErrorCode.MERGE_BLOCKED,
        detail % {"reasons": ", ".join(names)},
        reasons=names,
        vetoes=[{"name": v.name, "left": list(v.left), "right": list(v.right)} for v in vetoes],
        **data,
    )


def undo_blocked(reason: str, detail: str, **data: Any) -> SelfsameError:
    """An undo that is not possible, with its stored reason and a sentence (R46)."""
    return SelfsameError(ErrorCode.MERGE_BLOCKED, detail, reasons=[reason], **data)


def _ambiguous(data: Mapping[str, Any]) -> SelfsameError:
    ids = ", ".join(map(str, data["maestra_ids"]))
    detail = _(
        "Unable to uniquely determine the customer: what this record names belongs to customers %(ids)s. "
        "Send the identifiers of one of them, or merge them first."
    )
    return SelfsameError(
        ErrorCode.AMBIGUOUS_CUSTOMER,
        detail % {"ids": ids},
        maestra_ids=data["maestra_ids"],
        kinds=_kinds(data["keys"]),
    )


def _technical_id(data: Mapping[str, Any]) -> SelfsameError:
    kinds = _kinds(data["keys"])
    detail = _(
        "Technical IDs must be unique: %(kinds)s of this record is registered already, "
        "perhaps in a customer's history. Edit that customer, or upsert by this ID."
    )
    return SelfsameError(
        ErrorCode.TECHNICAL_ID_NOT_UNIQUE,
        detail % {"kinds": ", ".join(kinds)},
        maestra_ids=data["maestra_ids"],
        kinds=kinds,
    )


def _registered(data: Mapping[str, Any]) -> SelfsameError:
    kinds = _kinds(data["keys"])
    names = " / ".join(_(BY_NAME[kind].in_errors) for kind in kinds)
    detail = _(
        "A user with this %(contact)s is already registered. Offer to sign in, or to recover the access."
    )
    return SelfsameError(ErrorCode.ALREADY_REGISTERED, detail % {"contact": names}, kinds=kinds)


def _kinds(keys: Iterable[Key]) -> list[str]:
    return list(dict.fromkeys(key.kind for key in keys))
