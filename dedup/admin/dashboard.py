"""The first page: numbers, what awaits somebody, what failed, and charts of the last weeks.

Every part is registered, by this app and by others, and is shown to whoever may see it. Nothing counts a
whole table: counts stop at a limit, beyond which the database's own estimate is shown, and charts are counted
by an index on time. Counts are cached for a minute, those of past days for an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from customers.storage.sql import fetch_value
from dedup.admin.charts import Chart, chart
from dedup.models import Confirmation, Merge, ReviewPair, ReviewStatuses
from dedup.wording import veto_sentence

Words = str | Promise
DAYS = 30
CACHED_FOR = 60
"""Seconds that counts are cached."""
PAST_CACHED_FOR = 3600
"""Seconds that the counts of past days are cached: there may be very many rows to count."""
COUNTED_UP_TO = 10_000
LATEST = 5
LATE = timedelta(minutes=15)
"""After which a confirmation that was not sent counts as failed."""


class Figure(NamedTuple):
    """`is_about`: an estimate, or as far as was counted."""

    number: int
    is_about: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that leads to its list. `level`: plain; attention or failure where the number is not 0."""

    slug: str
    title: Words
    permission: str
    link: Any
    count: Callable[[], Figure]
    level: str = "plain"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Series:
    """How many a day. `rows` are those from a moment on, which must be found by an index of `field`."""

    slug: str
    title: Words
    permission: str
    rows: Callable[[], QuerySet[Any]]
    field: str
    order: int = 100


@dataclass(slots=True)
class DashboardParts:
    tiles: dict[str, Tile] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)


PARTS = DashboardParts()
"""What is registered, by slug."""


def register_tile(tile: Tile) -> None:
    PARTS.tiles[tile.slug] = tile


def register_series(series: Series) -> None:
    PARTS.series[series.slug] = series


def context(request: HttpRequest, shown: dict[str, Any]) -> dict[str, Any]:
    """What the admin's first page shows."""
    may = request.user.has_perm
    tiles = sorted((t for t in PARTS.tiles.values() if may(t.permission)), key=lambda t: t.order)
    series = sorted((s for s in PARTS.series.values() if may(s.permission)), key=lambda s: s.order)
    return {
        **shown,
        "title": _("Dashboard"),
        "tiles": [_tile(tile) for tile in tiles],
        "charts": [_chart(part) for part in series],
        "may_search": may("customers.view_customer"),
        "reviews": _reviews() if may("dedup.view_reviewpair") else None,
        "merges": _merges() if may("dedup.view_merge") else None,
    }


def counted(rows: QuerySet[Any], up_to: int = COUNTED_UP_TO) -> Figure:
    """As many as there are, or as far as was counted."""
    number = rows.order_by()[: up_to + 1].count()
    return Figure(min(number, up_to), is_about=number > up_to)


def in_index(rows: QuerySet[Any], index: str) -> Figure:
    """As many as there are; of very many, the database's estimate of the rows in a partial index."""
    exact = counted(rows)
    if not exact.is_about:
        return exact
    estimate = fetch_value("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", [index])
    return Figure(max(estimate, exact.number), is_about=True)


def _cached(slug: str, make: Callable[[], Any], seconds: int = CACHED_FOR) -> Any:
    """The cached value of this database and time zone, or a new one."""
    key = f"dashboard:{connection.settings_dict['NAME']}:{timezone.get_current_timezone_name()}:{slug}"
    return cache.get_or_set(key, make, seconds)


def _tile(tile: Tile) -> dict[str, Any]:
    figure = Figure(*_cached(f"tile:{tile.slug}", lambda: tuple(tile.count())))
    return {"tile": tile, "figure": figure, "level": tile.level if figure.number else "plain"}


def _chart(series: Series) -> Chart:
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    past = _cached(f"past:{series.slug}:{today}", lambda: _by_day(series, days[0], today), PAST_CACHED_FOR)
    latest = _cached(f"latest:{series.slug}:{today}", lambda: _by_day(series, today, None))
    by_day: Mapping[date, int] = {**past, **latest}
    return chart(series.slug, str(series.title), [(day, by_day.get(day, 0)) for day in days])


def _by_day(series: Series, first: date, before: date | None) -> dict[date, int]:
    """How many a day, from one day on and before another."""
    zone = timezone.get_current_timezone()
    rows = series.rows().filter(**{f"{series.field}__gte": _beginning(first)}).order_by()
    if before:
        rows = rows.filter(**{f"{series.field}__lt": _beginning(before)})
    by_day = rows.values(day=TruncDate(series.field, tzinfo=zone)).annotate(number=Count("*"))
    return dict(by_day.values_list("day", "number"))


def _beginning(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), tzinfo=timezone.get_current_timezone())


def _reviews() -> list[dict[str, Any]]:
    pairs = ReviewPair.objects.filter(status=ReviewStatuses.OPEN).order_by("-at", "-pk")[:LATEST]
    return [{"pair": pair, "why": [veto_sentence(veto["name"]) for veto in pair.vetoes]} for pair in pairs]


def _merges() -> list[Merge]:
    return list(Merge.objects.defer("before_survivor", "before_absorbed", "result").order_by("-pk")[:LATEST])


def _waiting_too_long() -> Figure:
    late = timezone.now() - LATE
    return counted(Confirmation.objects.filter(sent_at=None, used_at=None, asked_at__lt=late))


CUSTOMERS = Customer.objects.filter(is_head=True, is_identified=True, erased_at=None)
TO_REVIEW = ReviewPair.objects.filter(status=ReviewStatuses.OPEN)

register_tile(
    Tile(
        slug="customers",
        title=gettext_lazy("Identified customers"),
        permission="customers.view_customer",
        link=reverse_lazy("admin:customers_customer_changelist"),
        count=lambda: in_index(CUSTOMERS.all(), "customer_identified"),
        order=10,
    )
)
register_tile(
    Tile(
        slug="review",
        title=gettext_lazy("Pairs to review"),
        permission="dedup.view_reviewpair",
        link=reverse_lazy("admin:dedup_reviewpair_changelist"),
        count=lambda: counted(TO_REVIEW.all()),
        level="attention",
        order=20,
    )
)
register_tile(
    Tile(
        slug="confirmations",
        title=gettext_lazy("Unsent confirmations"),
        permission="dedup.view_confirmation",
        link=reverse_lazy("admin:dedup_confirmation_changelist"),
        count=_waiting_too_long,
        level="failure",
        order=90,
    )
)
register_series(
    Series(
        slug="customers",
        title=gettext_lazy("New customers"),
        permission="customers.view_customer",
        rows=Customer.objects.all,
        field="registered_at",
        order=10,
    )
)
register_series(
    Series(
        slug="merges",
        title=gettext_lazy("Merges"),
        permission="dedup.view_merge",
        rows=Merge.objects.all,
        field="at",
        order=20,
    )
)
register_series(
    Series(
        slug="conflicts",
        title=gettext_lazy("Conflicts (open and reviewed)"),
        permission="dedup.view_reviewpair",
        rows=ReviewPair.objects.all,
        field="at",
        order=30,
    )
)
