"""What the engine answers: a decision with its changes, or a refusal with a closed reason. Foreseen refusals
are values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from customers.changes import Change, Merged
from customers.profile import Key, Profile
from dedup.engine.warnings import RecordWarning


class OutcomeStatus(StrEnum):
    CREATED = "created"
    JOINED = "joined"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class RefusalCode(StrEnum):
    """The refusals only the engine can find; each is an error code of the rules' section 12."""

    VALIDATION_ERROR = "validation_error"
    CUSTOMER_NOT_FOUND = "customer_not_found"
    AMBIGUOUS_CUSTOMER = "ambiguous_customer"
    TECHNICAL_ID_NOT_UNIQUE = "technical_id_not_unique"
    ALREADY_REGISTERED = "already_registered"
    MERGE_BLOCKED = "merge_blocked"


class Refused(Exception):  # noqa: N818 - it never leaves the engine
    """Ends the decision of one record; `resolve` turns it into a `Refusal`."""

    def __init__(self, code: RefusalCode, **data: Any) -> None:
        super().__init__(code)
        self.refusal = Refusal(code, data)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing of the record is stored. `data` names what is in conflict: `maestra_ids`, `keys` …"""

    code: RefusalCode
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A contact two customers named that may not merge, and who holds it now (R30). `pending`: the loser
    keeps a claim.
    """

    key: Key
    kept_by: int
    lost_by: int
    criterion: str
    pending: bool


@dataclass(frozen=True, slots=True)
class Move:
    """A device or non-unique identifier that went from one customer to another (R32)."""

    key: Key
    giver: int
    taker: int


@dataclass(frozen=True, slots=True)
class Veto:
    """Why two may not be one (R22), with the values in conflict on either side. `apart` has MaestraIDs."""

    name: str
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockedMatch:
    """Two that matched and stay apart, with every veto (R22): what the review queue is made of."""

    left: int
    right: int
    shared: tuple[Key, ...]
    vetoes: tuple[Veto, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record. `profile` is the customer it ended in, as it stands after it. `warnings` are
    those the record came with, and what was left out in deciding it.
    """

    status: OutcomeStatus
    profile: Profile
    changes: tuple[Change, ...] = ()
    merges: tuple[Merged, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    moved: tuple[Move, ...] = ()
    blocked_matches: tuple[BlockedMatch, ...] = ()
    warnings: tuple[RecordWarning, ...] = ()

    @property
    def customer(self) -> int:
        """The primary MaestraID the record ended in."""
        return self.profile.maestra_id
