"""What can be done to customers: each operation loads, decides by the engine, and saves, all of it or nothing
(section 3).

Every door uses these: the API, imports, the admin. Each opens its own transaction and tries again what lost a
race; called inside an open transaction it uses a savepoint. Refusals are raised as `SelfsameError`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import suppression
from customers import writing as customers_writing
from customers.batch import Batch, OperationInfo, RecordChanges
from customers.changes import ApartLifted, Change, KeptApart, Reason, Why
from customers.errors import ErrorCode, SelfsameError, invalid
from customers.history import Item, history
from customers.kinds import Catalogue, catalogue
from customers.masking import LIFTED, Veil
from customers.points import Point
from customers.profile import DEVICES, MAESTRA_ID, Key, Profile
from customers.transactions import in_transaction
from dedup import writing as dedup_writing
from dedup.confirmations import ask_after_commit, forget_cleared
from dedup.engine.draft import Draft
from dedup.engine.explain import Explanation
from dedup.engine.explain import explain as explain_pair
from dedup.engine.merge import merge as merge_customers
from dedup.engine.outcome import Kept, Outcome, Refusal, Status
from dedup.engine.record import Record
from dedup.engine.resolve import resolve
from dedup.engine.undo import Journal
from dedup.engine.undo import undo as undo_merge
from dedup.engine.world import World
from dedup.images import from_json, to_json
from dedup.models import Merge
from dedup.refusals import error_of, not_found, undo_blocked
from dedup.store import Loaded, load, wanted_by, wanted_keys
from segments import writing as segments_writing

TRIES_OF_A_BATCH = 3  # then it is halved, so that one record fails alone


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and through which integration point. `actor` as in `customers.batch.OperationInfo`. `setup`
    is the catalogue the request was read with; without it, it is asked for anew.
    """

    actor: str
    point: Point
    user_id: int | None = None
    setup: Catalogue | None = None

    @property
    def catalogue(self) -> Catalogue:
        return self.setup or catalogue()


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request. `preview_token` stands for the customers as they were read."""

    outcome: Outcome
    profile: Profile
    merge_ids: tuple[int, ...] = ()
    preview_token: str | None = None


Answered = Answer | SelfsameError


def submit(caller: Caller, records: Sequence[Record | SelfsameError], *, keep: bool = True) -> list[Answered]:
    """Decide records in order and, unless `keep` is false, store what was decided. A record that is refused
    fails alone.

    Errors among `records` (from parsing) come back in their places.
    """
    sound = [r for r in records if isinstance(r, Record)]
    answers = iter(_submit_all(caller, sound, keep=keep))
    return [next(answers) if isinstance(r, Record) else r for r in records]


def submit_at_once(
    caller: Caller, records: Sequence[Record | SelfsameError], at: datetime, *, keep: bool = True
) -> list[Answered]:
    """The same within a transaction of the caller, who tries all of that again where it loses a race (see
    `customers.transactions`). The records are decided as of `at`; nothing stands for the customers as they
    were read.
    """
    sound = [r for r in records if isinstance(r, Record)]
    answers = iter(_decided(caller, sound, keep=keep, at=at) if sound else ())
    return [next(answers) if isinstance(r, Record) else r for r in records]


def submit_one(caller: Caller, record: Record, *, keep: bool = True) -> Answer:
    """The same for one record; raises its refusal."""
    answer = submit(caller, [record], keep=keep)[0]
    if isinstance(answer, SelfsameError):
        raise answer
    return answer


def _submit_all(caller: Caller, records: Sequence[Record], *, keep: bool) -> list[Answered]:
    """One transaction for all; a batch that keeps losing races is halved."""
    if not records:
        return []
    if len(records) == 1:
        return _one_by_itself(caller, records, keep=keep)
    try:
        return in_transaction(lambda: _decided(caller, records, keep=keep), TRIES_OF_A_BATCH)
    except SelfsameError as error:
        if error.code is not ErrorCode.BUSY:
            raise
    half = len(records) // 2
    return [
        *_submit_all(caller, records[:half], keep=keep),
        *_submit_all(caller, records[half:], keep=keep),
    ]


def _one_by_itself(caller: Caller, records: Sequence[Record], *, keep: bool) -> list[Answered]:
    try:
        return in_transaction(lambda: _decided(caller, records, keep=keep))
    except SelfsameError as error:
        return [error]


def _decided(
    caller: Caller, records: Sequence[Record], *, keep: bool, at: datetime | None = None
) -> list[Answered]:
    """A preview is of its moment and bears a token for it, unless it is of another, `at`."""
    now, known = timezone.now(), caller.catalogue
    loaded = load(wanted_by(records), known, lock=keep)
    erased = _erased(records, loaded, known)
    lawful = [r for r in records if id(r) not in erased]
    outcomes = resolve(loaded.world, lawful, at or now)
    merge_ids = _saved(caller, lawful, outcomes, loaded, now) if keep else []
    token = None if keep or at else token_of(loaded.world.profiles.values())
    answers = iter(_answers(outcomes, merge_ids, token))
    return [erased.get(id(r)) or next(answers) for r in records]


def _answers(
    outcomes: Iterable[Outcome | Refusal], merge_ids: Sequence[int], token: str | None
) -> list[Answered]:
    ids = iter(merge_ids)
    return [
        error_of(o)
        if isinstance(o, Refusal)
        else Answer(o, o.profile, tuple(islice(ids, len(o.merges))), token)
        for o in outcomes
    ]


def _erased(records: Sequence[Record], loaded: Loaded, known: Catalogue) -> dict[int, SelfsameError]:
    """Records that would bring an erased person back by accident (R54)."""
    if not known.suppression:
        return {}
    passive = [r for r in records if not r.personal_action]
    keys = {s.key for r in passive for s in r.identifiers} - loaded.world.holders.keys()
    found = suppression.find_suppressed(keys) if keys else set()
    return {id(r): _erased_person() for r in passive if any(s.key in found for s in r.identifiers)}


def _erased_person() -> SelfsameError:
    detail = _(
        "This person asked to be forgotten. The record was not stored; remove the person from your file. "
        "Only the person's own action can register them anew."
    )
    return SelfsameError(ErrorCode.ERASED_PERSON, detail)


def _saved(
    caller: Caller,
    records: Sequence[Record],
    outcomes: Sequence[Outcome | Refusal],
    loaded: Loaded,
    now: datetime,
) -> list[int]:
    """Write what was decided; the IDs of the merges, in order."""
    decided = [(r, o) for r, o in zip(records, outcomes, strict=True) if isinstance(o, Outcome)]
    changed = [RecordChanges(o.changes, r.occurred_at, r.point) for r, o in decided if o.changes]
    kept = [pair for _r, o in decided for pair in o.kept_apart]
    kind = records[0].operation.value if len({r.operation for r in records}) == 1 else "batch"
    return save(caller, kind, changed, loaded, now, kept=kept) if changed or kept else []


def save(
    caller: Caller,
    kind: str,
    changed: Sequence[RecordChanges],
    loaded: Loaded,
    now: datetime,
    *,
    kept: Sequence[Kept] = (),
) -> list[int]:
    """Write the changes with their history, under one operation; the IDs of the merges, in order."""
    assert loaded.operation
    operation = OperationInfo(
        id=loaded.operation,
        kind=kind,
        actor=caller.actor,
        at=now,
        actor_user=caller.user_id,
        point=caller.point.id,
    )
    batch = Batch(tuple(changed), operation, loaded.world.kinds, loaded.known)
    customers_writing.save(batch)
    segments_writing.save(batch)
    merge_ids = dedup_writing.save(batch)
    dedup_writing.save_kept_apart(kept, now)
    forget_cleared(batch)
    ask_after_commit(batch)
    return merge_ids


def lookup(caller: Caller, key: Key) -> Answer:
    """The customer an identifier finds at this point (R19, R20). Raises `customer_not_found`."""
    loaded = load(wanted_keys([key]), caller.catalogue, lock=False)
    profile = _found(loaded, key, caller)
    return Answer(Outcome(Status.UNCHANGED, profile), profile)


def heads_found(caller: Caller, keys: Sequence[Key]) -> list[int | None]:
    """The primary MaestraIDs of many customers, read at once as `lookup` reads one; None for nobody."""
    draft = Draft(load(wanted_keys(keys), caller.catalogue, lock=False).world)
    found = (draft.find(key, caller.point.gives_access) for key in keys)
    return [profile.maestra_id if profile else None for profile in found]


def _found(loaded: Loaded, key: Key, caller: Caller) -> Profile:
    profile = Draft(loaded.world).find(key, caller.point.gives_access)
    if profile is None:
        raise not_found(key)
    return profile


def merge(
    caller: Caller,
    customers: Sequence[Key],
    resulting: Key,
    *,
    preview_token: str | None = None,
    keep: bool = True,
    reason: Reason = Reason.API,
) -> Answer:
    """Merge customers into the one named, all of them or none (R28).

    Raises `customer_not_found`, `merge_blocked` with every reason, `stale_preview` where the customers are no
    longer those that `preview_token` stands for.
    """
    return in_transaction(
        lambda: _merged(caller, customers, resulting, preview_token, keep=keep, reason=reason)
    )


def _merged(
    caller: Caller, customers: Sequence[Key], resulting: Key, token: str | None, *, keep: bool, reason: Reason
) -> Answer:
    now = timezone.now()
    loaded = load(wanted_keys([*customers, resulting]), caller.catalogue, lock=keep)
    heads = [_found(loaded, key, caller).maestra_id for key in customers]
    head = _found(loaded, resulting, caller).maestra_id
    current = token_of(loaded.world.profiles.values())
    if token is not None and token != current:
        raise _stale()
    outcome = merge_customers(loaded.world, heads, head, reason, now)
    if isinstance(outcome, Refusal):
        raise error_of(outcome)
    if not keep:
        return Answer(outcome, outcome.profile, preview_token=current)
    ids = save(caller, "merge", [RecordChanges(outcome.changes, now)], loaded, now) if outcome.changes else []
    return Answer(outcome, outcome.profile, tuple(ids))


def _stale() -> SelfsameError:
    detail = _("A customer changed since the preview. Preview again, and confirm what you then see.")
    return SelfsameError(ErrorCode.STALE_PREVIEW, detail)


def token_of(profiles: Iterable[Profile]) -> str:
    """What stands for these customers exactly as they are: any change gives another token."""
    images = [to_json(p) for p in sorted(profiles, key=lambda p: p.maestra_id)]
    return hashlib.sha256(json.dumps(images, sort_keys=True).encode()).hexdigest()


def undo(caller: Caller, merge_id: int, *, preview_token: str | None = None, keep: bool = True) -> Answer:
    """Take a merge back; the pair is apart from then on (R46).

    Raises `not_found`, `merge_blocked` with reason `already_undone`, `erased` or `later_merges`, or
    `stale_preview` where the profile is no longer the one that `preview_token` stands for.
    """
    return in_transaction(lambda: _undone(caller, merge_id, preview_token, keep=keep))


def _undone(caller: Caller, merge_id: int, token: str | None, *, keep: bool) -> Answer:
    now = timezone.now()
    merges = Merge.objects.select_for_update() if keep else Merge.objects
    entry = merges.filter(pk=merge_id).first()
    if entry is None:
        raise SelfsameError(ErrorCode.NOT_FOUND, _("There is no merge with this number."))
    if entry.undone_at:
        raise undo_blocked("already_undone", _("This merge was undone already."))
    if not entry.result:
        raise undo_blocked("erased", _("This person was erased; nothing is left that could be brought back."))
    survivor = Key(MAESTRA_ID, str(entry.survivor_id))
    loaded = load(wanted_keys([survivor]), caller.catalogue, lock=keep)
    profile = _found(loaded, survivor, caller)
    _refuse_later_merges(entry, profile)
    current = token_of([profile])
    if token is not None and token != current:
        raise _stale()
    outcome = undo_merge(loaded.world, _journal(entry), now)
    if not keep:
        return Answer(outcome, outcome.profile, preview_token=current)
    save(caller, "undo", [RecordChanges(outcome.changes, now)], loaded, now)
    return Answer(outcome, outcome.profile)


def _journal(entry: Merge) -> Journal:
    images = (entry.before_survivor, entry.before_absorbed, entry.result)
    return Journal(entry.pk, *(from_json(image) for image in images))


def _refuse_later_merges(entry: Merge, profile: Profile) -> None:
    ids = profile.maestra_ids
    touching = Q(survivor_id__in=ids) | Q(absorbed_id__in=ids)
    later = Merge.objects.filter(touching, pk__gt=entry.pk, undone_at=None).order_by("-pk")
    numbers = list(later.values_list("pk", flat=True))
    if numbers:
        listed = ", ".join(map(str, numbers))
        detail = _("This profile was merged again since. Undo first, in this order: %(merges)s.")
        raise undo_blocked("later_merges", detail % {"merges": listed}, merge_ids=numbers)


def keep_apart(caller: Caller, left: int, right: int) -> None:
    """Mark two customers as never the same (R22)."""

    def changes(a: Profile, b: Profile, _world: World) -> list[Change]:
        pairs = [(a.maestra_id, b.maestra_id), (b.maestra_id, a.maestra_id)]
        return [KeptApart(customer=one, maestra_id=one, other=two, why=Why.RECORD) for one, two in pairs]

    _mark(caller, left, right, "keep_apart", changes)


def lift_apart(caller: Caller, left: int, right: int) -> None:
    """Take back that two customers are never the same, whichever of their MaestraIDs it was said of (R46)."""

    def changes(a: Profile, b: Profile, world: World) -> list[Change]:
        pairs = [(x, y) for x in a.maestra_ids for y in b.maestra_ids if frozenset((x, y)) in world.apart]
        sides = [(a.maestra_id, x, y) for x, y in pairs] + [(b.maestra_id, y, x) for x, y in pairs]
        return [ApartLifted(customer=head, maestra_id=one, other=two) for head, one, two in sorted(sides)]

    _mark(caller, left, right, "lift_apart", changes)


def _mark(
    caller: Caller,
    left: int,
    right: int,
    kind: str,
    changes: Callable[[Profile, Profile, World], list[Change]],
) -> None:
    def work() -> None:
        now = timezone.now()
        keys = [Key(MAESTRA_ID, str(left)), Key(MAESTRA_ID, str(right))]
        loaded = load(wanted_keys(keys), caller.catalogue, lock=True)
        a, b = (_found(loaded, key, caller) for key in keys)
        if a.maestra_id == b.maestra_id:
            raise invalid(("customers", _("Both are one profile. Undo their merge first.")))
        made = changes(a, b, loaded.world)
        save(caller, kind, [RecordChanges(tuple(made), now)], loaded, now)

    in_transaction(work)


def explain(caller: Caller, left: Key, right: Key) -> Explanation:
    """Why two customers are one, or are not, and what would have to change."""
    known = caller.catalogue
    found = load(wanted_keys([left, right]), known, lock=False)
    a, b = _found(found, left, caller), _found(found, right, caller)
    devices = [k for p in (a, b) for k, h in p.holdings.items() if h.category in DEVICES]
    heads = [Key(MAESTRA_ID, str(p.maestra_id)) for p in (a, b)]
    world = load(wanted_keys([*heads, *devices]), known, lock=False).world
    return explain_pair(
        world, a.maestra_id, b.maestra_id, lambda k: known.block_list.blocks(k.kind, k.value, k.value)
    )


def became_one(e: Explanation, labels: Mapping[str, str], veil: Veil = LIFTED) -> list[Item]:
    """Of two who are one customer, the latest history entries that say why: what was merged, and undone, and
    which records joined (R41).
    """
    if not e.same:
        return []
    kinds = ("merged", "joined", "unmerged")
    return history(sorted(e.left.maestra_ids), labels=labels, kinds=kinds, veil=veil).items
