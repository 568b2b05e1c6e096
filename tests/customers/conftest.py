from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import transaction

from dedup.demo import story


@pytest.fixture
def shop(db: None) -> None:
    """The demo shop with its cast."""
    open_shop()


@pytest.fixture(scope="module")
def opened_shop(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """The same, once for all tests of a module: each takes back only what it did itself."""
    with django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]
        open_shop()
        yield
        transaction.set_rollback(True)


def open_shop() -> None:
    call_command("configure", str(story.SETUP), verbosity=0)
    story.play()
