"""Merging customers on request, and undoing merges (R28, R46)."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.errors import ErrorCode, SelfsameError
from customers.profile import MAESTRA_ID, Key, Profile
from customers.storage.batch import RecordChanges
from customers.storage.transactions import in_transaction
from dedup.engine.merge import merge as merge_customers
from dedup.engine.outcome import Refusal
from dedup.engine.reasons import Reason
from dedup.engine.undo import Journal
from dedup.engine.undo import undo as undo_merge
from dedup.models import Merge
from dedup.operations.base import Caller, Result, preview_token_of, save, stale_preview
from dedup.operations.lookups import find_customer
from dedup.refusals import error_of, undo_blocked
from dedup.storage.loading import load, wanted_keys
from dedup.storage.profile_json import from_json, is_of_later_release


def merge(
    caller: Caller,
    customers: Sequence[Key],
    resulting: Key,
    *,
    preview_token: str | None = None,
    dry_run: bool = False,
    reason: Reason = Reason.API,
) -> Result:
    """Merge customers into the one named, all of them or none (R28).

    Raises `customer_not_found`, `merge_blocked` with every reason, `stale_preview` where the customers are no
    longer those that `preview_token` stands for.
    """
    return in_transaction(
        lambda: _merge(caller, customers, resulting, preview_token, dry_run=dry_run, reason=reason)
    )


def _merge(
    caller: Caller,
    customers: Sequence[Key],
    resulting: Key,
    token: str | None,
    *,
    dry_run: bool,
    reason: Reason,
) -> Result:
    now = timezone.now()
    wanted = wanted_keys([*customers, resulting], caller.point.gives_access)
    loaded = load(wanted, caller.config, lock=not dry_run)
    primary_ids = [find_customer(loaded, key, caller).maestra_id for key in customers]
    primary_id = find_customer(loaded, resulting, caller).maestra_id
    current = preview_token_of(loaded.world.profiles.values())
    if token is not None and token != current:
        raise stale_preview()
    outcome = merge_customers(loaded.world, primary_ids, primary_id, reason, now)
    if isinstance(outcome, Refusal):
        raise error_of(outcome)
    if dry_run:
        return Result(outcome, outcome.profile, preview_token=current)
    ids = save(caller, "merge", [RecordChanges(outcome.changes, now)], loaded, now) if outcome.changes else []
    return Result(outcome, outcome.profile, tuple(ids))


def undo(caller: Caller, merge_id: int, *, preview_token: str | None = None, dry_run: bool = False) -> Result:
    """Undo a merge; the two are held apart from then on (R46).

    Raises `not_found`, `merge_blocked` with reason `already_undone`, `erased`, `later_release` or
    `later_merges`, or `stale_preview` where the profile is no longer the one that `preview_token` stands for.
    """
    return in_transaction(lambda: _undo(caller, merge_id, preview_token, dry_run=dry_run))


def _undo(caller: Caller, merge_id: int, token: str | None, *, dry_run: bool) -> Result:
    now, entry = timezone.now(), _undoable(merge_id)
    survivor, unique_ids = Key(MAESTRA_ID, str(entry.survivor_id)), _journal(entry).unique_ids()
    loaded = load(wanted_keys([survivor, *unique_ids]), caller.config, lock=not dry_run)
    entry = _undoable(merge_id)  # as it is under the lock of its survivor
    profile = find_customer(loaded, survivor, caller)
    _refuse_later_merges(entry, profile)
    current = preview_token_of([profile])
    if token is not None and token != current:
        raise stale_preview()
    outcome = undo_merge(loaded.world, _journal(entry), now)
    if dry_run:
        return Result(outcome, outcome.profile, preview_token=current)
    save(caller, "undo", [RecordChanges(outcome.changes, now)], loaded, now)
    return Result(outcome, outcome.profile)


def _undoable(merge_id: int) -> Merge:
    entry = Merge.objects.filter(pk=merge_id).first()
    if entry is None:
        raise SelfsameError(ErrorCode.NOT_FOUND, _("There is no merge with this number."))
    _refuse_unless_undoable(entry)
    return entry


def _refuse_unless_undoable(entry: Merge) -> None:
    if entry.undone_at:
        raise undo_blocked("already_undone", _("This merge was undone already."))
    if not entry.result:
        raise undo_blocked("erased", _("This person was erased; nothing is left that could be brought back."))
    if is_of_later_release(entry.result):
        detail = _("A later release of Selfsame made this merge, and only that release can undo it.")
        raise undo_blocked("later_release", detail)


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
