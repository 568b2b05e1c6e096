"""What all tests share: after one with real transactions the database is emptied in milliseconds."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import TransactionTestCase

from tests import database


@pytest.fixture(scope="session", autouse=True)
def quick_emptying() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: database.empty())
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """Hashing them is slow on purpose; here nobody guesses them."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
