"""From the tables to profiles: one message to the database, whatever the number of profiles.

A `ProfilePart` is one statement and how its rows fill the profiles. A higher app adds its own in `ready()`,
which is how memberships come into a profile without this app knowing of segments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from customers.profile import (
    NOBODY,
    UNDATED,
    Ages,
    Category,
    Channel,
    Claim,
    Holding,
    Key,
    Member,
    Membership,
    Note,
    Personal,
    Profile,
    Subscription,
    SubscriptionStatus,
)
from customers.storage.columns import CLAIM, FORMER, HOLDING, MEMBER_FACTS, NOTE, PERSONAL, SUBSCRIPTION
from customers.storage.sql import Question, Row, array, ask, fetch
from customers.storage.transactions import Contended

HIGHEST_MAESTRA_ID = 2**63 - 1
"""What the database can hold."""
READS = 10
"""How often what is read without a lock is read again, where it changed in between."""

# Read beside the identifiers, not joined to them: half of what reading one profile costs is planning.
KINDS = "SELECT id, system_name, category FROM customers_identifierkind"
HEADS = "SELECT id, profile_id FROM customers_customer WHERE id = ANY(%s::bigint[]) AND erased_at IS NULL"
# Profiles with all their MaestraIDs: a merge and an undo change the rows of former ones too. Locked later,
# out of order, such a row may be held by somebody who found it before it was merged.
LOCK = "SELECT id FROM customers_customer WHERE profile_id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE"
LOCK_AT_ONCE = f"{LOCK} NOWAIT"

MEMBERS = f"""
SELECT c.profile_id, c.is_head, c.time_zone, c.custom_fields, c.opted_out_at,
       c.personal_at, c.time_zone_at, c.custom_fields_at,
       {PERSONAL.select("c")},
       c.id, c.registered_at, {MEMBER_FACTS.select("f")}
  FROM customers_customer c
  LEFT JOIN customers_customerfacts f ON f.customer_id = c.id
 WHERE c.profile_id = ANY(%(primary_ids)s::bigint[]) AND c.erased_at IS NULL
 ORDER BY c.id
"""
# Where a row of `MEMBERS` has what follows its first columns.
AGES_AT = slice(5, 8)
PERSONAL_AT = slice(8, 8 + len(PERSONAL))
MEMBER_FROM = PERSONAL_AT.stop
IDENTIFIERS = f"""
SELECT customer_id, kind_id, value, {HOLDING.select()}
  FROM customers_identifier
 WHERE customer_id = ANY(%(primary_ids)s::bigint[])
 ORDER BY id
"""
# Former IDs that somebody else has by now, or retired later (R3). The row of the value itself comes first.
_NO_FLAGS = {name: "false" if of == "boolean" else f"NULL::{of}" for name, of in HOLDING.types.items()}
FORMER_IDS = f"""
SELECT customer_id, kind_id, value,
       {HOLDING.select(**{**_NO_FLAGS, **{name: name for name in FORMER.types}, "is_former": "true"})}
  FROM customers_formeridentifier
 WHERE customer_id = ANY(%(primary_ids)s::bigint[])
 ORDER BY retired_at DESC, origin_id DESC
"""
# A value may have been claimed under several MaestraIDs of a profile: the primary one's own claim counts,
# else the oldest MaestraID's. What comes last stays.
CLAIMS = f"""
SELECT c.customer_id, i.kind_id, i.value,
       {CLAIM.select("c", raw="coalesce(nullif(c.raw, ''), i.raw)")}
  FROM customers_claim c
  JOIN customers_identifier i ON i.id = c.identifier_id
 WHERE c.customer_id = ANY(%(primary_ids)s::bigint[])
 ORDER BY c.origin_id = c.customer_id, c.origin_id DESC
"""
CARDS = """
SELECT customer_id, hash, origin_id FROM customers_paymentcard
 WHERE customer_id = ANY(%(primary_ids)s::bigint[])
 ORDER BY origin_id = customer_id, origin_id DESC
"""
SUBSCRIPTIONS = f"""
SELECT customer_id, channel, topic, {SUBSCRIPTION.select()} FROM customers_subscription
 WHERE customer_id = ANY(%(primary_ids)s::bigint[])
"""
NOTES = f"""
SELECT c.profile_id, {NOTE.select("n")}
  FROM customers_customer c
  JOIN customers_note n ON n.maestra_id = c.id
 WHERE c.profile_id = ANY(%(primary_ids)s::bigint[])
 ORDER BY n.at, n.id
"""


@dataclass(slots=True)
class PartialProfile:
    """A profile while its parts come in."""

    members: list[Member] = field(default_factory=list)
    personal: Personal = NOBODY
    time_zone: str | None = None
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
    opted_out_at: datetime | None = None
    holdings: dict[Key, Holding] = field(default_factory=dict)
    claims: dict[Key, Claim] = field(default_factory=dict)
    cards: dict[str, int] = field(default_factory=dict)
    subscriptions: dict[Channel, Subscription] = field(default_factory=dict)
    memberships: dict[int, Membership] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    ages: Ages = UNDATED

    def finished(self, primary_id: int) -> Profile:
        return Profile(
            maestra_id=primary_id,
            members=tuple(self.members),
            personal=self.personal,
            time_zone=self.time_zone,
            custom_fields=self.custom_fields,
            holdings=self.holdings,
            claims=self.claims,
            cards=self.cards,
            subscriptions=self.subscriptions,
            memberships=self.memberships,
            opted_out_at=self.opted_out_at,
            notes=tuple(self.notes),
            ages=self.ages,
        )


class PartialProfiles(dict[int, PartialProfile]):
    """Profiles by primary MaestraID, and what their parts need: the identifier kinds by ID, as (system name,
    category).
    """

    kinds: Mapping[int, tuple[str, Category]]


@dataclass(frozen=True, slots=True)
class ProfilePart:
    """A statement, over the primary MaestraIDs `%(primary_ids)s` where it needs them, and what takes its
    rows.
    """

    sql: str
    fill: Callable[[PartialProfiles, Iterable[Row]], None]


def load_profiles(primary_ids: Sequence[int]) -> dict[int, Profile]:
    """The profiles of these primary MaestraIDs, by MaestraID. Erased ones, and IDs that are not primary, are
    absent.
    """
    if not primary_ids:
        return {}
    profiles = PartialProfiles((primary_id, PartialProfile()) for primary_id in primary_ids)
    parts = [*OWN_PARTS, *_more_parts]
    params = {"primary_ids": array("bigint", primary_ids)}
    for part, rows in zip(parts, ask([(part.sql, params) for part in parts]), strict=True):
        part.fill(profiles, rows)
    complete = ((primary_id, profile) for primary_id, profile in profiles.items() if profile.members)
    return {primary_id: profile.finished(primary_id) for primary_id, profile in complete}


def primary_ids_of(maestra_ids: Iterable[int]) -> dict[int, int]:
    """The primary MaestraID of each, former ones included (R1). Unknown and erased ones are absent."""
    possible = [maestra_id for maestra_id in maestra_ids if maestra_id <= HIGHEST_MAESTRA_ID]
    return dict(fetch(HEADS, [possible]))


def locking(primary_ids: Iterable[int]) -> list[Question]:
    """What locks these profiles until the transaction ends: once in order, and once more, without waiting,
    for those who were merged into one of them while it was waited for. The last answers with all their
    MaestraIDs; whoever was merged into another profile meanwhile is not among them.
    """
    ids = array("bigint", sorted(primary_ids))
    return [(LOCK, [ids]), (LOCK_AT_ONCE, [ids])]


def profile_of(maestra_id: int) -> Profile | None:
    """The profile that a MaestraID belongs to, a former one too (R1); None for an unknown or erased one.

    Read again where it was merged in between. Raises `Contended` where that does not end.
    """
    for _ in range(READS):
        primary_id = primary_ids_of([maestra_id]).get(maestra_id)
        if primary_id is None:
            return None
        profile = load_profiles([primary_id]).get(primary_id)
        if profile and maestra_id in profile.maestra_ids:
            return profile
    raise Contended


def register_part(part: ProfilePart) -> None:
    """Let a higher app put its share into every profile that is read."""
    if part not in _more_parts:
        _more_parts.append(part)


_more_parts: list[ProfilePart] = []


def _kinds(profiles: PartialProfiles, rows: Iterable[Row]) -> None:
    profiles.kinds = {pk: (name, Category(category)) for pk, name, category in rows}


def _members(profiles: PartialProfiles, rows: Iterable[Row]) -> None:
    """A member for each MaestraID. The single values are the primary one's; a former one's are what it had at
    the merge. Without a row of counts all of them are NULL.
    """
    for row in rows:
        primary_id, is_head, time_zone, custom_fields, opted_out_at = row[:5]
        maestra_id, registered_at, *facts = row[MEMBER_FROM:]
        has_facts = facts[0] is not None
        member = Member(maestra_id, registered_at, *facts) if has_facts else Member(maestra_id, registered_at)
        profile = profiles[primary_id]
        profile.members.append(member)
        if is_head:
            profile.personal = Personal(*row[PERSONAL_AT])
            profile.time_zone, profile.opted_out_at = time_zone, opted_out_at
            profile.custom_fields = _custom_fields(custom_fields)
            profile.ages = _ages(*row[AGES_AT])


def _custom_fields(text: str) -> Mapping[str, Any]:
    """Django leaves JSON unread. A decimal is read to the last digit."""
    return {} if text == "{}" else json.loads(text, parse_float=Decimal)


def _ages(personal: datetime | None, time_zone: datetime | None, custom_fields: str | None) -> Ages:
    fields = json.loads(custom_fields) if custom_fields else {}
    return Ages(personal, time_zone, {name: datetime.fromisoformat(at) for name, at in fields.items()})


def _identifiers(profiles: PartialProfiles, rows: Iterable[Row]) -> None:
    for primary_id, kind_id, value, *rest in rows:
        kind, category = profiles.kinds[kind_id]
        holding = Holding(kind, value, category, *rest)
        profiles[primary_id].holdings.setdefault(holding.key, holding)


def _claims(profiles: PartialProfiles, rows: Iterable[Row]) -> None:
    for primary_id, kind_id, value, *rest in rows:
        kind, category = profiles.kinds[kind_id]
        profiles[primary_id].claims[Key(kind, value)] = Claim(kind, value, category, *rest)


def _cards(profiles: PartialProfiles, rows: Iterable[Row]) -> None:
    for primary_id, card, origin in rows:
        profiles[primary_id].cards[card] = origin


def _subscriptions(profiles: PartialProfiles, rows: Iterable[Row]) -> None:
    for primary_id, channel, topic, status, since in rows:
        profiles[primary_id].subscriptions[Channel(channel, topic)] = Subscription(STATUSES[status], since)


def _notes(profiles: PartialProfiles, rows: Iterable[Row]) -> None:
    for primary_id, *note in rows:
        profiles[primary_id].notes.append(Note(*note))


# A look-up in a plain mapping is several times faster than the enumeration's own.
STATUSES: Mapping[str, SubscriptionStatus] = {status.value: status for status in SubscriptionStatus}

# The kinds come first: the others refer to them.
OWN_PARTS = (
    ProfilePart(KINDS, _kinds),
    ProfilePart(MEMBERS, _members),
    ProfilePart(IDENTIFIERS, _identifiers),
    ProfilePart(FORMER_IDS, _identifiers),
    ProfilePart(CLAIMS, _claims),
    ProfilePart(CARDS, _cards),
    ProfilePart(SUBSCRIPTIONS, _subscriptions),
    ProfilePart(NOTES, _notes),
)
