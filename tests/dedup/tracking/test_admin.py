"""What staff see and do of activity."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.urls import reverse

from customers.models import Activity, IntegrationPoint
from dedup.models import Event, FailedEvent, Site
from dedup.tracking.failures import Failure, set_aside
from dedup.tracking.resolver.lanes import resolve_waiting
from tests.dedup.tracking.sending import BROWSER, SHOP, TRACKING, action
from tests.scenarios.api import ANN, Project
from tests.staff import signed_in

ShopMaker = Callable[..., Project]


@pytest.fixture(autouse=True)
def no_staff_stays(story: None) -> Iterator[None]:
    """A story's emptying leaves staff alone."""
    yield
    Session.objects.all().delete()
    User.objects.all().delete()


def test_an_integrator_sets_up_a_site_and_is_shown_the_line_for_its_pages(project: ShopMaker) -> None:
    project()
    staff, point = signed_in("Integrator"), IntegrationPoint.objects.get(system_name="app")
    wrong = staff.post(
        reverse("admin:dedup_site_add"), {"point": point.pk, "origins": f"{SHOP}/page", "key": "k"}
    )
    assert wrong.context["adminform"].form.errors.keys() == {"origins"}
    given = {"point": point.pk, "origins": f"{SHOP}/, http://localhost:8001", "key": "ssp_12345678"}
    staff.post(reverse("admin:dedup_site_add"), {**given, "is_enabled": "on"})
    made = Site.objects.get()
    assert made.origins == [SHOP, "http://localhost:8001"]
    page = staff.get(reverse("admin:dedup_site_change", args=[made.pk])).content.decode()
    assert "/static/tracker.js" in page
    assert "ssp_12345678" in page


def test_a_failed_event_is_shown_with_its_reason_and_tried_again(project: ShopMaker) -> None:
    shop = project(tracking=TRACKING)
    shop.website.register(email=ANN, device_id=BROWSER)
    shop.website.post("activities/", {"activities": [action(1)]})
    waiting = Event.objects.get()
    staff = signed_in("Integrator")
    assert BROWSER in staff.get(reverse("admin:dedup_event_changelist")).content.decode()
    set_aside({waiting.pk: Failure("ambiguous_customer", "Two customers are meant.")})
    listed = reverse("admin:dedup_failedevent_changelist")
    assert "Two customers are meant." in staff.get(listed).content.decode()
    staff.post(listed, {"action": "try_again", "_selected_action": [waiting.pk]})
    resolve_waiting()
    assert not FailedEvent.objects.exists()
    assert Activity.objects.count() == 1
