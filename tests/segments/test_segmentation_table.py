"""The documents' segmentation table once more, with segments that are calculated (R38)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from segments.recalculation import ask_for_all, run_waiting
from tests.scenarios.api import ANN, PHONE, moment, subscription

TABLE = {
    "mailings": ["subscribed"],
    "bread": ["buys_bread"],
    "loyalty": ["level_1", "level_2"],
    "opens": ["never"],
}
WHEN = (
    ("2019-02", 2, "mailings/subscribed"),
    ("2020-01", 1, "bread/buys_bread"),
    ("2020-03", 2, "bread/buys_bread"),
    ("2020-08", 2, "loyalty/level_2"),
    ("2021-01", 1, "mailings/subscribed"),
    ("2021-01", 1, "loyalty/level_1"),
    ("2021-02", 2, "opens/never"),
)
"""The month in which one of the two came to meet a segment's condition."""


def calculated(name: str, segments: list[str]) -> dict[str, Any]:
    """A segment is of those who subscribed to the topic of its name."""
    topic = {"type": "subscription", "channel": "sms", "status": "subscribed"}
    made = [{"system_name": s, "condition": {"all": [{**topic, "topic": f"{name}/{s}"}]}} for s in segments]
    return {"system_name": name, "kind": "calculated", "segments": made}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def turn(month: str) -> None:
        at = datetime.fromisoformat(f"{month}-15").replace(tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: at)

    return turn


def recalculate() -> None:
    ask_for_all()
    run_waiting()


def test_the_later_membership_stays_until_the_next_recalculation(
    project: Any, clock: Callable[[str], None]
) -> None:
    clock("2019-01")
    shop = project(segmentations=[calculated(*entry) for entry in TABLE.items()])
    ids = {1: shop.crm_import.register(email=ANN).id, 2: shop.crm_import.register(mobile_phone=PHONE).id}
    for month, who, topic in WHEN:
        clock(month)
        shop.crm_import.edit(ids[who], subscriptions=[subscription("sms", topic=topic)])
        recalculate()
    clock("2021-03")
    shop.match(ids[1], ids[2])

    def found() -> dict[str, tuple[str, str]]:
        entries = shop.customer(ids[1])["segments"]
        return {s["segmentation"]: (s["segment"], moment(s["since"]).strftime("%Y-%m")) for s in entries}

    merged = {
        "mailings": ("subscribed", "2021-01"),
        "bread": ("buys_bread", "2020-03"),
        "loyalty": ("level_1", "2021-01"),
        "opens": ("never", "2021-02"),
    }
    assert found() == merged
    recalculate()
    # Both levels' conditions are met by the one person now: the higher ID wins (R51).
    assert found() == {**merged, "loyalty": ("level_2", "2021-03")}
