"""The tracker on a shop's page, in a real browser, with a real worker behind it.

The shop is another host than the server, and its policy lets a page load the tracker and send to the server,
nothing else.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from customers.models import Activity
from dedup.models import Event
from dedup.tracking.resolver.lanes import resolve_waiting
from tests.dedup.tracking.working import Worker, until, worker
from tests.scenarios.api import Project

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LINDA = "linda@example.com"
SITE_KEY = "ssp_website123"
PAGE = """<!doctype html><title>{path}</title><h1>Sneakers</h1>
<script src="{server}/static/tracker.js" data-key="{key}" defer></script>"""
POLICY = "default-src 'none'; script-src {server}; connect-src {server}"


@pytest.fixture
def sneakers(server: str) -> Iterator[str]:
    """The address of the shop."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Security-Policy", POLICY.format(server=server))
            self.end_headers()
            self.wfile.write(PAGE.format(path=self.path, server=server, key=SITE_KEY).encode())

        def log_message(self, *_: Any) -> None:
            pass

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = Thread(target=serving.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.fixture
def project(server: str, sneakers: str, settings: Any, tmp_path: Path) -> Project:
    settings.PUBLIC_URL = server
    settings.TRACK_REQUESTS_PER_MINUTE = 0
    site = {"integration_point": "website", "origins": [sneakers], "key": SITE_KEY}
    return Project(tmp_path, tracking=[site])


@pytest.fixture
def working(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    with worker(monkeypatch) as one:
        yield one


@pytest.fixture
def browsers(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browsers that have never met, each somebody's of their own."""
    made: list[BrowserContext] = []

    def another(**options: Any) -> BrowserContext:
        made.append(chromium.new_context(**options))
        return made[-1]

    yield another
    for context in made:
        context.close()


ONLINE = "dispatchEvent(new Event('online'))"


def visited(context: BrowserContext, address: str) -> Page:
    """A page whose tracker is at work; what its policy stops, or its scripts raise, fails the test."""
    page = context.new_page()
    page.on("console", lambda message: pytest.fail(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(address)
    page.wait_for_function("window.tracker")
    return page


def device_of(context: BrowserContext, address: str) -> str:
    """The tracker's cookie, which comes with the first events it sends."""
    name = "selfsame_device"
    return str(until(lambda: next((c["value"] for c in context.cookies(address) if c["name"] == name), None)))


def seen(shop: Project, email: str) -> list[tuple[str, str, str]]:
    """What the profile shows, the oldest first: kind, path and device."""
    answer = shop.website.post("customers/lookup/", {"email": email})
    if answer.status != 200:
        return []
    listed = shop.pages(f"customers/{answer.body['maestra_id']}/activities/")
    return [(a["kind"], urlsplit(a["url"]).path, a["device_id"]) for a in reversed(listed)]


def test_linda_s_browsing_on_two_devices_flows_into_one_profile(
    project: Project, working: Worker, sneakers: str, browsers: Callable[..., BrowserContext]
) -> None:
    """Example 2 of the profile document; R48, R49, R50."""
    desktop, phone = browsers(), browsers()
    home = visited(desktop, f"{sneakers}/newsletter")
    home.evaluate("email => tracker.identify({email})", LINDA)
    at_home = until(lambda: seen(project, LINDA))
    assert at_home == [("page_view", "/newsletter", device_of(desktop, sneakers))]

    visited(phone, f"{sneakers}/shoes")
    link = project.website.done(
        "personal_links/",
        {"lookup": {"email": LINDA}, "url": f"{sneakers}/sale?colour=red", "message": "may"},
    ).body["url"]
    sale = visited(phone, link)
    sale.wait_for_url(f"{sneakers}/sale*")
    assert sale.url == f"{sneakers}/sale?colour=red"
    sale.evaluate("tracker.track('basket', {sku: '42'})")
    on_phone = device_of(phone, sneakers)

    def done_on_phone() -> list[tuple[str, str]]:
        found = [(kind, path) for kind, path, device in seen(project, LINDA) if device == on_phone]
        return [done for done in found if done[0] != "personal_link"]

    # The tabs send on their own: what was done last may arrive first.
    expected = [("page_view", "/shoes"), ("page_view", "/sale"), ("basket", "/sale")]
    until(lambda: done_on_phone() == expected)
    linda = project.website.lookup(email=LINDA).customer
    assert {on_phone, device_of(desktop, sneakers)} < set(linda["devices"])


def test_without_scripts_a_personal_link_is_followed_by_its_button(
    project: Project, sneakers: str, chromium: Browser, server: str
) -> None:
    """R49"""
    linda = project.website.register(email=LINDA).id
    body = {"lookup": {"email": LINDA}, "url": f"{sneakers}/sale"}
    link = project.website.done("personal_links/", body).body["url"]
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(link)
        assert page.url == link
        page.get_by_role("button").click()
        page.wait_for_url(f"{sneakers}/sale?*")
        device = device_of(context, server)
    resolve_waiting()
    assert project.customer(linda)["devices"] == [device]


def test_sessions_from_before_a_customer_entered_the_database_are_shown(
    project: Project, working: Worker, sneakers: str, browsers: Callable[..., BrowserContext]
) -> None:
    """R47, R48: two visits without a connection, an hour apart, told of and identified afterwards."""
    now = datetime.now(UTC)
    context = browsers()
    page = visited(context, f"{sneakers}/shoes")
    until(Activity.objects.exists)
    context.set_offline(True)
    page.clock.install(time=now - timedelta(hours=5))
    page.evaluate("tracker.page()")
    page.clock.set_system_time(now - timedelta(hours=4))
    page.evaluate("tracker.page(), tracker.track('basket')")
    page.clock.set_system_time(datetime.now(UTC))
    context.set_offline(False)
    page.evaluate("email => tracker.identify({email})", LINDA)
    page.evaluate(ONLINE)
    until(lambda: len(seen(project, LINDA)) == 4)
    linda = project.website.lookup(email=LINDA).id
    sessions = project.pages(f"customers/{linda}/sessions/")
    assert [session["actions_count"] for session in sessions] == [1, 2, 1]


def test_who_opts_out_leaves_no_trace(
    project: Project, sneakers: str, browsers: Callable[..., BrowserContext]
) -> None:
    """By the page's own button, or by the browser's signal."""
    signal = browsers()
    signal.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})")
    hidden = visited(signal, f"{sneakers}/")
    button = browsers()
    button.add_init_script("document.cookie = 'selfsame_opt_out=1; path=/'")
    opted_out = visited(button, f"{sneakers}/")
    for page in (hidden, opted_out):
        page.evaluate("tracker.track('basket')")
        page.evaluate("dispatchEvent(new Event('pagehide'))")
        assert page.evaluate("localStorage.getItem('selfsame_events')") is None
    assert [c["name"] for context in (signal, button) for c in context.cookies(sneakers)] == [
        "selfsame_opt_out"
    ]
    opted_out.evaluate("tracker.optIn(), tracker.track('basket')")
    opted_out.evaluate("dispatchEvent(new Event('pagehide'))")
    device = device_of(button, sneakers)
    until(Event.objects.exists)
    assert [(e.kind, e.device) for e in Event.objects.all()] == [("basket", device)]
    opted_out.evaluate("tracker.optOut()")
    until(lambda: [c["name"] for c in button.cookies(sneakers)] == ["selfsame_opt_out"])


def test_what_the_server_cannot_take_is_kept_and_sent_again(
    project: Project, server: str, sneakers: str, browsers: Callable[..., BrowserContext]
) -> None:
    """Where there is no beacon either."""
    context = browsers()
    context.add_init_script("delete Navigator.prototype.sendBeacon")
    taking: list[bool] = []
    refused: list[bool] = []

    def answer(route: Any) -> None:
        if taking:
            route.continue_()
        else:
            refused.append(True)
            route.fulfill(status=503)

    context.route(f"{server}/track/**", answer)
    page = context.new_page()
    page.goto(f"{sneakers}/shoes")
    until(lambda: page.evaluate(ONLINE) and refused)
    page.wait_for_function("JSON.parse(localStorage.getItem('selfsame_events') || '[]').length == 1")
    taking.append(True)
    page.goto(f"{sneakers}/sale")
    page.wait_for_function("window.tracker")
    until(lambda: page.evaluate(ONLINE) and Event.objects.values("uuid").distinct().count() == 2)


def test_the_tracker_is_small_and_needs_nothing_else() -> None:
    source = Path(__file__).resolve().parents[2].joinpath("dedup/static/tracker.js").read_bytes()
    assert len(gzip.compress(source, 9)) < 4096
    assert b"import" not in source
    assert b"eval" not in source
