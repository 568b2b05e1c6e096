"""Pages of lists: customers by MaestraID, timelines by time. To clients a cursor is an opaque text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from customers.api.base import masking_of
from customers.errors import SelfsameError, invalid
from customers.queries.cursors import HIGHEST_ID, P, decoded, encoded
from customers.queries.timelines import Timeline, TimelineCursor

LIMIT, HIGHEST_LIMIT = 50, 1000
PAGING = frozenset({"cursor", "limit"})
LONGEST_NAME = 100
"""Characters of an unknown parameter's name that a refusal repeats."""


class CustomerPagination(CursorPagination):
    """The newest customers first."""

    ordering = ("-id",)
    page_size = LIMIT
    page_size_query_param = "limit"
    max_page_size = HIGHEST_LIMIT

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not _is_number(str(cursor.position)):
            raise _bad_cursor()
        return cursor

    def get_page_size(self, request: Request) -> int:
        return limit_of(request)


def limit_of(request: Request) -> int:
    """How many items the page may have at most."""
    text = request.query_params.get("limit", str(LIMIT))
    if text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= HIGHEST_LIMIT:
        return int(text)
    raise invalid(("limit", _("It is a whole number from 1 to %(highest)s.") % {"highest": HIGHEST_LIMIT}))


def page_of(timeline: Timeline, request: Request, maestra_ids: Sequence[int]) -> dict[str, Any]:
    """A page of a timeline as the API shows it."""
    refuse_unknown(request)
    page = timeline.page(maestra_ids, limit_of(request), place_of(request, TimelineCursor))
    return shown(request, masking_of(request).facts(page.items), page.next)


def shown(request: Request, items: Sequence[dict[str, Any]], place: tuple[Any, ...] | None) -> dict[str, Any]:
    """A page as the API shows it; `place` is where it ends, None for the last page."""
    url = request.build_absolute_uri()
    return {"results": items, "next": replace_query_param(url, "cursor", encoded(place)) if place else None}


def refuse_unknown(request: Request, *known: str) -> None:
    """Refuse parameters that nobody reads: a misspelt one would otherwise be ignored."""
    unknown = request.query_params.keys() - {*PAGING, *known}
    if unknown:
        message = _("There is no such parameter.")
        raise invalid(*((name[:LONGEST_NAME], message) for name in sorted(unknown)))


def place_of(request: Request, kind: Callable[..., P]) -> P | None:
    """Where the page before this one ended, as the request's cursor says; None for the first page."""
    text = request.query_params.get("cursor")
    if not text:
        return None
    try:
        return decoded(text, kind)
    except ValueError:
        raise _bad_cursor() from None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < HIGHEST_ID


def _bad_cursor() -> SelfsameError:
    return invalid(("cursor", _("Take the cursor from 'next' of the page before, unchanged.")))
