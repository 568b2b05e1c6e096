"""The opt-out from all communication (R53)."""

from __future__ import annotations

from django.utils import timezone

from customers.consent import opt_out_changes
from customers.profile import Profile
from customers.setup.project_config import project_config
from customers.storage import saving
from customers.storage.batch import Batch, RecordChanges
from customers.storage.locking import locked_profile, operation_of
from customers.storage.transactions import in_transaction
from customers.transitions import changed


def opt_out(
    maestra_id: int,
    *,
    actor: str,
    user_id: int | None = None,
    point_id: int | None = None,
    stated: str = "",
) -> Profile:
    """Ends every subscription of the customer and refuses every channel by which they can be reached (R53).

    `stated` is the reason a colleague gives, for the history. Returns the profile as it is then. A second
    time it changes nothing. Raises `customer_not_found`.
    """
    return in_transaction(lambda: _opted_out(maestra_id, actor, user_id, point_id, stated))


def _opted_out(
    maestra_id: int, actor: str, user_id: int | None, point_id: int | None, stated: str
) -> Profile:
    profile, now = locked_profile(maestra_id), timezone.now()
    changes = tuple(opt_out_changes(profile, maestra_id, now, stated))
    if not changes:
        return profile
    operation = operation_of("opt_out", now, actor, user_id, point_id)
    saving.save(Batch((RecordChanges(changes, now, point_id),), operation, project_config().kinds))
    for change in changes:
        profile = changed(profile, change)
    return profile
