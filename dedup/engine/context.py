"""One record on its way through the rules: what it stands on, and the small steps all stages share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from customers.changes import CardSeen, Held, Merged, Released, Unclaimed, Why
from customers.profile import (
    WITH_PRIMARY,
    Category,
    Holding,
    Key,
    Profile,
)
from customers.provisional import NO_MAESTRA_ID
from customers.transitions import Sketch
from dedup.engine.draft import Draft
from dedup.engine.editing import (
    holding_of,
)
from dedup.engine.outcome import Conflict, Move, OutcomeStatus, Veto
from dedup.engine.record import Record, Sent

EMPTY_NEW_CUSTOMER = Profile(maestra_id=NO_MAESTRA_ID)


class ResolutionContext:
    """One record on its way through the rules.

    The subject is the stored customer the record is about, once there is one; until then the record is a
    newcomer, weighed as a customer with what it brought. `incoming` are the identifiers still in play.
    `found_nobody`: the look-up found no customer, whoever is joined later. `registered` are the contacts
    that somebody else signs in with (R16). `wanted` are the primaries the record asks for, by kind.
    """

    def __init__(self, draft: Draft, record: Record, now: datetime) -> None:
        self.draft = draft
        self.record = record
        self.now = now
        self.subject: int | None = None
        self.found_nobody = False
        self.registered: list[Sent] = []
        self.origin_id = NO_MAESTRA_ID
        self.status = OutcomeStatus.UNCHANGED
        self.incoming: list[Sent] = list(record.identifiers)
        self.wanted: dict[str, Key] = {}
        self.new_customer: Profile = EMPTY_NEW_CUSTOMER
        self.merges: list[Merged] = []
        self.conflicts: list[Conflict] = []
        self.moved: list[Move] = []
        self.kept: list[tuple[int, tuple[Key, ...], tuple[Veto, ...]]] = []
        self.warnings = list(record.warnings)

    @property
    def profile(self) -> Profile:
        """The subject as it stands."""
        assert self.subject is not None
        return self.draft.profiles[self.subject]

    def wish(self) -> Profile:
        """The subject, or the newcomer, as it would be with everything the record brought."""
        if self.subject is None:
            return self.new_customer_with(self.incoming)
        profile = self.profile
        wished = {s.key: holding_of(s, self.record, self.origin_id) for s in self.incoming}
        return replace(profile, holdings={**wished, **profile.holdings})

    def new_customer_with(self, sent: Sequence[Sent]) -> Profile:
        """The newcomer as it would be with these identifiers."""
        sketch = Sketch(self.new_customer)
        sketch.holdings = self.holdings_of(sent)
        return sketch.profile()

    def holdings_of(self, sent: Sequence[Sent]) -> dict[Key, Holding]:
        """Identifiers as the newcomer would hold them. Of each e-mail and phone type one is primary."""
        primary = set(self._leading(sent).values())
        return {s.key: holding_of(s, self.record, self.origin_id, is_primary=s.key in primary) for s in sent}

    def _leading(self, sent: Sequence[Sent]) -> dict[str, Key]:
        """By kind the contact that is to be primary: the one asked for, or else the first (R14)."""
        contacts = [s for s in reversed(sent) if s.category in WITH_PRIMARY]
        first = {s.kind: s.key for s in contacts}
        return first | {s.kind: s.key for s in contacts if s.is_primary}

    def free(self) -> list[Sent]:
        return [s for s in self.incoming if self.draft.current_holder(s.key) is None]

    def hold(self, sent: Sent, taken_from: int | None = None, why: Why = Why.RECORD) -> None:
        """The subject holds the identifier from now on; a unique ID retires the one before it (R2)."""
        self.release_former(sent.key)
        old = self.profile.current(sent.kind) if sent.category is Category.UNIQUE else None
        if old:
            retired = replace(old, is_former=True, retired_at=self.now)
            self.draft.emit(Held(**self.who(), before=old, after=retired))
        holding = holding_of(sent, self.record, self.origin_id)
        self.draft.emit(Held(**self.who(), before=None, after=holding, taken_from=taken_from, why=why))
        if claim := self.profile.claims.get(sent.key):
            self.draft.emit(Unclaimed(**self.who(), claim=claim, why=why))

    def release_former(self, key: Key) -> None:
        """A former value that finds nobody any more may be registered anew by somebody else (R3)."""
        if (
            (other := self.draft.holder(key))
            and other.maestra_id != self.subject
            and other.holdings[key].is_former
        ):
            self.release(other, key, Why.MOVED)

    def release(self, holder: Profile, key: Key, why: Why) -> Holding:
        holding = holder.holdings[key]
        self.draft.emit(
            Released(
                customer=holder.maestra_id,
                maestra_id=holding.origin,
                holding=holding,
                to=self.subject,
                why=why,
            )
        )
        return holding

    def record_cards(self) -> None:
        for card in self.record.cards:
            if card not in self.profile.cards:
                self.draft.emit(CardSeen(**self.who(), card=card))

    def emit_diff(self, before: Profile, after: Profile, why: Why) -> None:
        self.draft.emit_diff(before, after, self.origin_id, why)

    def who(self) -> Who:
        assert self.subject is not None
        return {"customer": self.subject, "maestra_id": self.origin_id}


class Who(TypedDict):
    customer: int
    maestra_id: int
