"""Notes that members of staff write on a profile."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.changes import NoteAdded
from customers.errors import invalid
from customers.normalise import trim
from customers.profile import BY_HAND, Note
from customers.setup.project_config import project_config
from customers.storage import saving
from customers.storage.batch import Batch, RecordChanges
from customers.storage.locking import locked_profile, operation_of
from customers.storage.transactions import in_transaction

LONGEST = 2000
"""The most characters of a note."""


def add_note(maestra_id: int, text: str, *, actor: str, user_id: int | None = None) -> None:
    """Put a note on the profile, under its primary MaestraID.

    Raises `customer_not_found`, and `validation_error` for a text that is empty or too long.
    """
    text = trim(text)
    if not text:
        raise invalid(("text", _("Write something.")))
    if len(text) > LONGEST or "\0" in text:
        raise invalid(("text", _("Write at most %(limit)s characters.") % {"limit": LONGEST}))
    in_transaction(lambda: _add(maestra_id, text, actor, user_id))


def _add(maestra_id: int, text: str, actor: str, user_id: int | None) -> None:
    primary_id, now = locked_profile(maestra_id).maestra_id, timezone.now()
    change = NoteAdded(
        customer=primary_id, maestra_id=primary_id, note=Note(now, primary_id, BY_HAND, "", text)
    )
    operation = operation_of("note", now, actor, user_id, None)
    saving.save(Batch((RecordChanges((change,), now),), operation, project_config().kinds))
