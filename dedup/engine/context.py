"""One record on its way through the rules: what it stands on, and the small steps all stages share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from customers.changes import CardSeen, Held, Merged, Released, Unclaimed, Why
from customers.profile import WITH_PRIMARY, Category, Holding, Key, Member, Profile
from customers.provisional import NO_MAESTRA_ID
from customers.transitions import MutableProfile
from dedup.engine.editing import heeded, holding_of, is_heeded
from dedup.engine.lateness import is_late, path_of, retired_if_late
from dedup.engine.outcome import Conflict, Move, OutcomeStatus, Veto
from dedup.engine.record import Record, Sent
from dedup.engine.unit_of_work import UnitOfWork
from dedup.engine.warnings import RecordWarning, WarningCode

EMPTY_NEW_CUSTOMER = Profile(maestra_id=NO_MAESTRA_ID)


class ResolutionContext:
    """One record on its way through the rules.

    `subject` is the stored customer the record is about, by primary MaestraID. Until there is one, the record
    is a new customer, weighed with what it brought (`new_customer`); from then on `record` is what counts of
    it for that customer (R44). `origin_id` is the MaestraID under which what it writes is recorded.
    `incoming` are the identifiers not dealt with yet. `found_nobody`: the look-up found no customer, whoever
    the record joined later. `registered` are the contacts that somebody else signs in with (R16).
    `requested_primaries` are the contacts that the record makes primary, by kind. `left_out` are the paths of
    what was not taken, by the warning that says why.
    """

    def __init__(self, work: UnitOfWork, record: Record, now: datetime) -> None:
        self.work = work
        self.record = record
        self.now = now
        self.subject: int | None = None
        self.found_nobody = False
        self.registered: list[Sent] = []
        self.origin_id = NO_MAESTRA_ID
        self.status = OutcomeStatus.UNCHANGED
        self.incoming: list[Sent] = list(record.identifiers)
        self.requested_primaries: dict[str, Key] = {}
        self.new_customer: Profile = EMPTY_NEW_CUSTOMER
        self.merges: list[Merged] = []
        self.conflicts: list[Conflict] = []
        self.moved: list[Move] = []
        self.blocked_matches: list[tuple[int, tuple[Key, ...], tuple[Veto, ...]]] = []
        self.warnings: list[RecordWarning] = list(record.warnings)
        self.left_out: dict[WarningCode, list[str]] = {}

    @property
    def profile(self) -> Profile:
        """The subject as it stands."""
        assert self.subject is not None
        return self.work.profiles[self.subject]

    @property
    def member(self) -> Member:
        """The MaestraID under which the record is recorded, with what stands under it."""
        return next(m for m in self.profile.members if m.maestra_id == self.origin_id)

    def path(self, path: str) -> str:
        """A path within the record as one within what was sent."""
        return f"{self.record.path}.{path}" if self.record.path else path

    def heed_for(self, profile: Profile) -> None:
        """The record is about this customer: what `fill` ignores of it counts for nothing (R44)."""
        self.record = heeded(self.record, profile)
        self.incoming = self.incoming_for(profile)

    def incoming_for(self, profile: Profile) -> list[Sent]:
        """What would be left of the incoming identifiers if the record was about this customer (R44)."""
        return [s for s in self.incoming if is_heeded(s, self.record, profile)]

    def projected_profile(self) -> Profile:
        """The subject, or the new customer, as it would be with everything the record brought."""
        if self.subject is None:
            return self.new_customer_with(self.incoming)
        profile = self.profile
        added = {s.key: holding_of(s, self.record, self.origin_id) for s in self.incoming}
        return replace(profile, holdings={**added, **profile.holdings})

    def new_customer_with(self, sent: Sequence[Sent]) -> Profile:
        """The new customer as it would be with these identifiers."""
        mutable = MutableProfile(self.new_customer)
        mutable.holdings = self.holdings_of(sent)
        return mutable.profile()

    def holdings_of(self, sent: Sequence[Sent]) -> dict[Key, Holding]:
        """Identifiers as the new customer would hold them. Of each e-mail and phone type one is primary."""
        primary = set(self._primary_by_kind(sent).values())
        return {s.key: holding_of(s, self.record, self.origin_id, is_primary=s.key in primary) for s in sent}

    def _primary_by_kind(self, sent: Sequence[Sent]) -> dict[str, Key]:
        """By kind the contact that is to be primary: the one asked for, or else the first (R14)."""
        contacts = [s for s in reversed(sent) if s.category in WITH_PRIMARY]
        first = {s.kind: s.key for s in contacts}
        return first | {s.kind: s.key for s in contacts if s.is_primary}

    def free(self) -> list[Sent]:
        """What nobody holds."""
        return [s for s in self.incoming if self.work.current_holder(s.key) is None]

    def hold(self, sent: Sent, taken: Holding | None = None, why: Why = Why.RECORD) -> None:
        """The subject holds the identifier from now on; a unique ID retires the one before it (R2), or is
        retired by a younger one (R59). `taken` is how another customer held it until now.
        """
        holding = holding_of(sent, self.record, self.origin_id)
        holding = retired_if_late(holding, self.record, self.profile, self.now)
        old = self.profile.current(sent.kind) if sent.category is Category.UNIQUE else None
        if holding.is_former:
            self.leave_as_older(path_of(sent.key, sent.category))
        elif old:
            retired = replace(old, is_former=True, retired_at=self.now)
            self.work.emit(Held(**self.who(), before=old, after=retired))
        if taken and is_late(self.record, taken.last_used_at):
            holding = replace(holding, since=self.now, used_at=self.record.occurred_at)
        taken_from = self.work.primary_id(taken.origin) if taken else None
        self.work.emit(Held(**self.who(), before=None, after=holding, taken_from=taken_from, why=why))
        if claim := self.profile.claims.get(sent.key):
            self.work.emit(Unclaimed(**self.who(), claim=claim, why=why))

    def release(self, holder: Profile, key: Key, why: Why) -> Holding:
        """Takes a value from its holder, for the subject; how it was held."""
        holding = holder.holdings[key]
        self.work.emit(
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
        """The subject is known to have paid with the record's cards (R10)."""
        for card in self.record.cards:
            if card not in self.profile.cards:
                self.work.emit(CardSeen(**self.who(), card=card))

    def emit_diff(self, before: Profile, after: Profile, why: Why) -> None:
        self.work.emit_diff(before, after, self.origin_id, why)

    def leave_out(self, code: WarningCode, path: str) -> None:
        """Note that a field of the record was not taken."""
        self.left_out.setdefault(code, []).append(path)

    def leave_as_older(self, path: str) -> None:
        """Notes that a field of the record was not taken, because what is stored is younger (R59)."""
        self.leave_out(WarningCode.OLDER_DATA, self.path(path))

    def all_warnings(self) -> Iterator[RecordWarning]:
        """The warnings so far, and one for each reason why fields were left out, with their paths."""
        yield from self.warnings
        for code, paths in self.left_out.items():
            yield RecordWarning(code, fields=tuple(dict.fromkeys(paths)))

    def who(self) -> Who:
        """Whom a change concerns: the subject, under the MaestraID of the record."""
        assert self.subject is not None
        return {"customer": self.subject, "maestra_id": self.origin_id}


class Who(TypedDict):
    customer: int
    maestra_id: int
