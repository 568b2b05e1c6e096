"""The page a confirmation link leads to (R45)."""

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client

from tests.scenarios.api import ANN, CONFIRM, Project
from tests.scenarios.conftest import project, story

__all__ = ["project", "story"]


@pytest.fixture
def link(project: Callable[..., Project]) -> str:
    """The link that Ann was sent."""
    project(website={"email": CONFIRM}).website.register(email=ANN)
    found = re.search(r"https?://[^/]+(/confirm/\S+/)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def is_confirmed(client: Client, link: str) -> bool:
    return b"is confirmed" in client.post(link).content


def test_opening_the_link_asks_and_confirms_nothing(link: str) -> None:
    """R45: mail programs open links by themselves, so that opening it twice must not use it up."""
    assert [Client().get(link).status_code for _ in range(2)] == [200, 200]
    assert is_confirmed(Client(), link)


def test_the_button_confirms_once(link: str) -> None:
    """R45: links are single-use."""
    client = Client(enforce_csrf_checks=True)
    assert is_confirmed(client, link)
    again = client.post(link)
    assert again.status_code == 409
    assert b"This did not work" in again.content


def test_an_unknown_link_is_refused_in_words(link: str) -> None:
    answer = Client().post("/confirm/never-sent/")
    assert (answer.status_code, b"Ask for a new one" in answer.content) == (409, True)


def test_the_page_asks_for_nothing_from_elsewhere(link: str) -> None:
    page = Client().get(link).content.decode()
    assert re.findall(r"(?:src|href)=\"([^\"]*)", page) == [
        "/static/selfsame/icon.svg",
        "/static/dedup/confirm.css",
    ]
    assert "<script" not in page
