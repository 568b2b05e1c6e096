"""Addresses of pages lose what says who somebody is before they are stored."""

from collections.abc import Callable
from typing import Any

import pytest

from customers.models import Activity
from dedup.tracking.addresses import with_clean_addresses, without_secrets
from dedup.tracking.resolver.lanes import resolve_waiting
from tests.dedup.tracking.sending import BROWSER, SHOP, TRACKING, page
from tests.scenarios.api import Project

PAGE = f"{SHOP}/sale"


@pytest.mark.parametrize(
    ("query", "stored"),
    [
        ("?email=ann@example.com&colour=red", "?email=&colour=red"),
        ("?colour=red&Email=a%40b.c#top", "?colour=red&Email=#top"),
        ("?e%6Dail=a@b.c;token=1", "?e%6Dail=;token="),
        ("#access_token=abc&state=1", "#access_token=&state=1"),
        ("#/reset?password=x", "#/reset?password="),
        ("?to=https%3A%2F%2Fx.example%2F%3Ftoken%3Dabc", "?to=https%3A%2F%2Fx.example%2F%3Ftoken%3D"),
        ("?emails=3&promo_code=MAY&q=a=b", "?emails=3&promo_code=MAY&q=a=b"),
        ("?q=50%25+off&x=%zz", "?q=50%25+off&x=%zz"),
    ],
)
def test_values_of_sensitive_parameters_are_left_out(query: str, stored: str):
    assert without_secrets(PAGE + query) == PAGE + stored


def test_other_parameters_can_be_named(settings: Any):
    settings.SENSITIVE_PARAMETERS = {"kundennummer"}
    assert without_secrets(f"{PAGE}?email=a&Kundennummer=7") == f"{PAGE}?email=a&Kundennummer="


def test_addresses_among_the_properties_lose_them_too():
    properties = {"referrer": f"{PAGE}?token=abc", "note": "?token=abc", "price": 3}
    assert with_clean_addresses(properties) == {**properties, "referrer": f"{PAGE}?token="}


def test_what_is_stored_of_a_page_and_of_an_activity_is_clean(project: Callable[..., Project]):
    shop = project(tracking=TRACKING)
    page({"kind": "page_view", "url": f"{PAGE}?email=ann@example.com"})
    activity = {"kind": "page_view", "device_id": BROWSER, "url": f"{PAGE}#code=123456"}
    shop.website.post("activities/", {"activities": [activity]})
    resolve_waiting()
    urls = Activity.objects.values_list("url", flat=True)
    assert sorted(urls) == [f"{PAGE}#code=", f"{PAGE}?email="]
