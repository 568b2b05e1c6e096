"""A real browser on a real server. One Chromium a worker, a fresh context a test.

Whatever a page does behind its face fails the test: an error in its console, among them what the content
security policy stopped, an exception in its scripts, a request to another host.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)
from pytest_django.live_server_helper import LiveServer

from dedup.demo import story
from tests.staff import signed_in

ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
SignIn = Callable[..., Client]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # Playwright runs a loop of its own in this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        expect.set_options(timeout=30_000)  # milliseconds: a busy machine is no failure
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def listening(django_db_setup: None) -> Iterator[str]:
    """Not the plugin's `live_server`: that asks for the database before anything else, and so has it flushed,
    roles and all.
    """
    started = LiveServer("localhost")
    yield started.url
    started.stop()


@pytest.fixture
def server(transactional_db: None, listening: str) -> str:
    """The address of a server with an empty project, whose operations are really committed."""
    return listening


@pytest.fixture
def shop(server: str) -> str:
    """The same with the demo shop and its cast."""
    call_command("configure", str(story.SETUP), verbosity=0)
    story.play()
    return server


@pytest.fixture
def context(chromium: Browser, server: str) -> Iterator[BrowserContext]:
    context = chromium.new_context(
        base_url=server, timezone_id="Europe/Berlin", viewport={"width": 1280, "height": 900}
    )
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, server: str) -> Iterator[Page]:
    page, faults = context.new_page(), list[str]()
    host = urlsplit(server).netloc

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    def on_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.netloc != host:
            faults.append(f"asked {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", on_request)
    yield page
    assert faults == []


@pytest.fixture
def sign_in(context: BrowserContext, server: str) -> SignIn:
    """Sign the browser in as a member of staff of a role; without one, as the one who may do everything."""

    def enter(role: str | None = None) -> Client:
        client = signed_in(role)
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": server}])
        return client

    return enter
