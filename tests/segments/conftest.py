"""Real transactions and projects, as in the stories, and members of staff."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from tests import staff
from tests.scenarios.conftest import project, story

__all__ = ["project", "story"]


@pytest.fixture
def signed_in(story: None) -> Iterator[Callable[..., Client]]:
    """Members of staff, who are no part of a story and are gone after it."""
    yield staff.signed_in
    Session.objects.all().delete()
    User.objects.all().delete()
