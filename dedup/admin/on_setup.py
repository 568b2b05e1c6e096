"""What deciding adds to the set-up pages: whom a switch affects, and what permissions mean."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.admin.setup import consequences
from customers.admin.staff import MEANINGS
from customers.models import IdentifierKind
from dedup.admin.permissions import KEEP_APART, LIFT_APART, MERGE, REVIEW_PAIRS, UNDO_MERGES
from dedup.models import ReviewPair, ReviewStatuses

MEANINGS.update(
    {
        MERGE: _("Merge customers"),
        UNDO_MERGES: _("Undo merges"),
        KEEP_APART: _("Hold customers apart"),
        LIFT_APART: _("Let customers held apart merge again"),
        REVIEW_PAIRS: _("Decide on pairs to review"),
        "dedup.change_failedevent": _("Have failed events tried again"),
        "segments.change_membership": _("Put customers into segments, and take them out"),
    }
)


def _waiting_pairs(_kind: IdentifierKind, is_on: bool) -> str:
    pairs = ReviewPair.objects.filter(status=ReviewStatuses.OPEN)
    if is_on:
        text = gettext("Pairs that await review: %(count)s. Some may get one more reason to stay two.")
        return text % {"count": pairs.count()}
    different = pairs.filter(vetoes__contains=[{"name": "different_unique_ids"}])
    text = gettext("Pairs that await review and have different IDs, of this kind or another: %(count)s.")
    return text % {"count": different.count()}


consequences.append(_waiting_pairs)
