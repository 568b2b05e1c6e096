"""R49: personal links lead to the site's pages and nowhere else, and tell only what was signed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as configured
from django.core import signing
from django.test import Client

from customers.models import Activity
from customers.privacy.erasure import erase
from dedup.models import Event
from dedup.tracking import links
from dedup.tracking.resolver.lanes import resolve_waiting
from tests.dedup.tracking.sending import BROWSER, PHONE_BROWSER, SHOP, TRACKING, page, site
from tests.scenarios.api import ANN, Project

ShopMaker = Callable[..., Project]


@pytest.fixture
def shop(project: ShopMaker) -> Project:
    made = project(tracking=TRACKING)
    made.website.register(day=1, email=ANN)
    return made


def made(shop: Project, url: str = f"{SHOP}/sale?a=1", **more: Any) -> str:
    """The path of a new link."""
    body = {"lookup": {"email": ANN}, "url": url, **more}
    address: str = shop.website.done("personal_links/", body).body["url"]
    assert address.startswith(configured.PUBLIC_URL)
    return urlsplit(address).path


def opened(path: str, device: str | None = None, client: Client | None = None, headers: Any = None) -> Any:
    """What a browser gets that shows the page: its script follows the link."""
    client = client or Client()
    if device:
        client.cookies["selfsame_device"] = device
    page = client.get(path, headers=headers)
    return client.post(path, headers=headers) if page.status_code == 200 else page


def devices(shop: Project) -> list[str]:
    resolve_waiting()
    return list(shop.website.lookup(email=ANN).customer["devices"])


def test_the_browser_keeps_its_device_or_gets_one(shop: Project) -> None:
    response = opened(made(shop), BROWSER)
    assert response["Location"].startswith(f"{SHOP}/sale?a=1&")
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    cookie = opened(made(shop)).cookies["selfsame_device"]
    assert (cookie["samesite"], cookie["max-age"], cookie["path"]) == ("Lax", 365 * 24 * 3600, "/")
    assert sorted(devices(shop)) == sorted([BROWSER, cookie.value])


def test_opening_a_link_is_an_activity_with_its_message(shop: Project) -> None:
    opened(made(shop, message="newsletter-may"), BROWSER)
    resolve_waiting()
    activity = Activity.objects.get()
    assert (activity.kind, activity.properties) == ("personal_link", {"message": "newsletter-may"})
    assert shop.website.lookup(email=ANN).customer["facts"]["last_activity_at"]


def test_a_page_on_another_host_hands_its_own_device_over(shop: Project) -> None:
    """The shop's cookie is not this server's, so the page's tracker sends back the token it was given."""
    query = parse_qs(urlsplit(opened(made(shop), BROWSER)["Location"]).query)
    page(device=PHONE_BROWSER, visit=query["selfsame_visit"][0])
    assert sorted(devices(shop)) == [BROWSER, PHONE_BROWSER]


def test_a_page_on_this_host_needs_no_token(shop: Project) -> None:
    site(origins=["http://testserver:8001"])
    assert opened(made(shop, "http://testserver:8001/sale"))["Location"] == "http://testserver:8001/sale"


def test_a_token_that_is_old_or_another_point_s_or_made_up_says_nothing(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = shop.website.lookup(email=ANN).id
    point = site().point_id
    old = signing.dumps([ann, point], salt=links.VISIT_SALT)
    for token in (
        old + "x",
        signing.dumps([ann, point + 1], salt=links.VISIT_SALT),
        signing.dumps([ann, point]),
    ):
        assert page(visit=token).status == 202
    monkeypatch.setattr(links, "VISIT_LIFE", timedelta(seconds=-1))
    assert page(visit=old).status == 202
    assert devices(shop) == []


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/", "//evil.example", "https://shop.example.evil.example/", "https://shop.example@evil.example",
     "javascript:alert(1)", "https://shop.example\\@evil.example/", "/sale", "http://shop.example/",
     "https://evil.example\t/", "https:shop.example"],
)  # fmt: skip
def test_a_link_leads_to_the_sites_pages_only(shop: Project, url: str) -> None:
    with shop.refuses("validation_error") as problem:
        made(shop, url)
    assert problem.paths == "url"


def test_a_link_whose_page_is_no_longer_the_sites_leads_nowhere(shop: Project) -> None:
    path = made(shop)
    site(origins=["https://other.example"])
    response = opened(path, BROWSER)
    assert (response.status_code, "Location" in response) == (404, False)
    assert [template.name for template in response.templates] == ["link.html", "refusal.html"]
    assert not Event.objects.exists()


def test_a_link_that_was_tampered_with_leads_nowhere(shop: Project) -> None:
    path = made(shop)
    for wrong in (path[:-3] + "/", "/r/x/", path.replace("/r/", "/r/x")):
        assert opened(wrong, BROWSER).status_code == 404
    assert not Event.objects.exists()


def test_an_expired_link_leads_on_and_attaches_nobody(
    shop: Project, pass_time: Callable[[timedelta], None]
) -> None:
    path = made(shop, expires_in=60)
    pass_time(timedelta(seconds=61))
    response = opened(path, BROWSER)
    assert response["Location"] == f"{SHOP}/sale?a=1"
    assert devices(shop) == []


def test_a_link_of_an_erased_customer_leads_on_and_attaches_nobody(shop: Project) -> None:
    """R54: nothing is stored for a link that could be erased."""
    path = made(shop)
    erase(shop.website.lookup(email=ANN).id, actor="user:officer")
    assert opened(path, BROWSER).status_code == 302
    resolve_waiting()
    assert not Activity.objects.exists()


OPENERS = {
    "a scanner of mails": {"User-Agent": "Mozilla/5.0 (compatible; Barracuda Sentinel)"},
    "the preview of a chat": {"User-Agent": "WhatsApp/2.23.20.0"},
    "a search engine": {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
    "global privacy control": {"Sec-GPC": "1"},
    "do not track": {"DNT": "1"},
    "an opt-out": {"Cookie": "selfsame_opt_out=1"},
}


@pytest.mark.parametrize("headers", OPENERS.values(), ids=OPENERS)
@pytest.mark.parametrize("method", ["get", "post", "head"])
def test_who_is_nobody_or_does_not_want_to_be_known_is_led_on_all_the_same(
    shop: Project, headers: dict[str, str], method: str
) -> None:
    response = getattr(Client(), method)(made(shop), headers=headers)
    assert (response.status_code, response["Location"]) == (302, f"{SHOP}/sale?a=1")
    assert devices(shop) == []


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
def test_loading_a_link_does_nothing(shop: Project, method: str, headers: dict[str, str]) -> None:
    """R49: it answers a page that follows it, by a script or a button, to the link's site and no other."""
    response = getattr(Client(), method)(made(shop), headers=headers)
    assert (response.status_code, response.cookies) == (200, {})
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    policy = response["Content-Security-Policy"]
    assert f"form-action 'self' {SHOP};" in policy + ";"
    assert "unsafe" not in policy
    assert not Event.objects.exists()


def test_faults_of_a_link_are_named(shop: Project) -> None:
    body = {"lookup": {"email": ANN}, "url": 7, "expires_in": 0, "message": "x" * 101, "colour": "blue"}
    with shop.refuses("validation_error") as problem:
        shop.website.done("personal_links/", body)
    assert sorted(problem.paths.split()) == ["colour", "expires_in", "message", "url"]
    with shop.refuses("customer_not_found"):
        shop.website.done("personal_links/", {"lookup": {"crm_id": "9"}, "url": SHOP})
