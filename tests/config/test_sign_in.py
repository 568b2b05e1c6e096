"""Who may try passwords, and how often."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

PASSWORD = "correct horse battery"
HERE, ELSEWHERE = "198.51.100.1", "203.0.113.7"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def staff(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    for name in ("ann", "bob"):
        User.objects.create_user(name, password=PASSWORD, is_staff=True)


def signs_in(name: str, password: str = PASSWORD, address: str = HERE, behind: str = "10.0.0.1") -> bool:
    client = Client(REMOTE_ADDR=behind, HTTP_X_FORWARDED_FOR=f"192.0.2.66, {address}")
    client.post("/admin/login/", {"username": name, "password": password})
    return "_auth_user_id" in client.session


def fail(times: int, name: str = "ann", address: str = HERE) -> None:
    for _ in range(times):
        assert not signs_in(name, "wrong", address)


def test_a_name_is_locked_from_the_address_that_failed_and_from_no_other():
    fail(10)
    assert not signs_in("ann")
    assert signs_in("ann", address=ELSEWHERE)
    assert signs_in("bob")


def test_an_address_is_locked_whatever_names_it_tries():
    for number in range(30):
        fail(1, name=f"somebody{number}")
    assert not signs_in("ann")
    assert signs_in("ann", address=ELSEWHERE)


def test_signing_in_oneself_makes_no_room_for_further_guesses():
    for number in range(29):
        fail(1, name=f"somebody{number}")
    assert signs_in("bob")
    fail(1, name="another")
    assert not signs_in("bob")


def test_whoever_signs_in_clears_their_own_failures():
    fail(9)
    assert signs_in("ann")
    fail(9)
    assert signs_in("ann")


def test_failing_while_locked_does_not_prolong_the_lock():
    fail(10)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=14))
    fail(1)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=2))
    assert signs_in("ann")
