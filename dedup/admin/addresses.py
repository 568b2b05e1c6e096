"""Where the pages of decisions are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse


def merge_address(merge_id: int) -> str:
    return reverse("admin:dedup_merge_change", args=[merge_id])


def undo_address(merge_id: int) -> str:
    return reverse("admin:dedup_merge_undo", args=[merge_id])


def new_merge_address(maestra_ids: Iterable[int] = (), **more: Any) -> str:
    query = [("customer", maestra_id) for maestra_id in maestra_ids] + list(more.items())
    return reverse("admin:dedup_merge_new") + (f"?{urlencode(query)}" if query else "")


def explain_address(left: object = None, right: object = None) -> str:
    query = {name: value for name, value in (("left", left), ("right", right)) if value is not None}
    return reverse("admin:dedup_reviewpair_explain") + (f"?{urlencode(query)}" if query else "")


def explain_record_address() -> str:
    return reverse("admin:dedup_reviewpair_explain_record")


def review_address(pair_id: int) -> str:
    return reverse("admin:dedup_reviewpair_change", args=[pair_id])
