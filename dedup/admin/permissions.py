"""What the pages of decisions ask for, and as whom a member of staff acts."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from customers.setup.integration_points import STAFF
from dedup.operations.base import Caller

VIEW_MERGES, MERGE, UNDO_MERGES = "dedup.view_merge", "dedup.add_merge", "dedup.change_merge"
VIEW_PAIRS, REVIEW_PAIRS = "dedup.view_reviewpair", "dedup.change_reviewpair"
KEEP_APART, LIFT_APART = "dedup.add_apartpair", "dedup.change_apartpair"
VIEW_IMPORTS, ADD_IMPORTS, CHANGE_IMPORTS = "dedup.view_import", "dedup.add_import", "dedup.change_import"


def staff_caller(request: HttpRequest) -> Caller:
    """The member of staff behind a request, who acts through no integration point."""
    return Caller(actor=f"user:{request.user.get_username()}", point=STAFF, user_id=request.user.pk)


def require_permission(request: HttpRequest, permission: str) -> None:
    """Raises `PermissionDenied` for whoever lacks it."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def require_read_method(request: HttpRequest) -> None:
    """Raises `PermissionDenied` for what would write: what was recorded is not edited."""
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied
