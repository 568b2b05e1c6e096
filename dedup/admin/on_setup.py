"""What this app adds to the set-up pages: what a switch affects, and what permissions mean."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.admin import key_scopes
from customers.admin.identifier_kinds import Consequence, register_consequence
from customers.admin.staff import MEANINGS
from customers.models import IdentifierKind, Scopes
from dedup.admin.permissions import ADD_IMPORTS, KEEP_APART, LIFT_APART, MERGE, REVIEW_PAIRS, UNDO_MERGES
from dedup.models import ReviewPair, ReviewStatuses

MEANINGS.update(
    {
        MERGE: _("Merge customers"),
        UNDO_MERGES: _("Undo merges"),
        KEEP_APART: _("Keep customers apart"),
        LIFT_APART: _("Allow customers kept apart to merge again"),
        REVIEW_PAIRS: _("Review pairs"),
        "dedup.change_failedevent": _("Retry failed events"),
        "segments.change_membership": _("Add customers to segments and remove them"),
    }
)

key_scopes.PERMISSIONS.update(
    {
        Scopes.MERGE: (MERGE, UNDO_MERGES, key_scopes.SEE_CONTACTS),
        Scopes.IMPORT: (ADD_IMPORTS, key_scopes.SEE_CONTACTS),
    }
)


def _open_pairs(_kind: IdentifierKind, is_on: bool) -> Consequence:
    pairs = ReviewPair.objects.filter(status=ReviewStatuses.OPEN)
    text = gettext("Pairs to review: %(pairs)s. Some may get one more reason not to merge.")
    if not is_on:
        pairs = pairs.filter(vetoes__contains=[{"name": "different_unique_ids"}])
        text = gettext("Pairs to review that have different IDs, of this kind or another: %(pairs)s.")
    numbers = {"pairs": pairs.count()}
    return Consequence("open_pairs", numbers, text % numbers)


register_consequence(_open_pairs)
