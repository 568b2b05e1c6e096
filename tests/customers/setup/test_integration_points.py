"""Keys of integration points, what they may do, and how often (R13)."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisAway

from customers.errors import SelfsameError
from customers.models import ApiKey, Customer, IntegrationPoint, Reveal
from customers.redis.outage import OUTAGE
from customers.setup.integration_points import STAFF, Access, Point, access_of, make_key, point_of
from customers.setup.project_config import project_config_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def website():
    return IntegrationPoint.objects.create(
        system_name="website",
        name="Website",
        kind="website",
        lookup_by=["email"],
        must_be_confirmed=["email"],
        gives_access=["mobile_phone"],
    )


def answer(text: str | None, method: str = "get", path: str = "segmentations/", **headers: str) -> Any:
    given = {"authorization": f"Api-Key {text}"} if text else {}
    return getattr(Client(headers={**given, **headers}), method)(
        f"/api/v1/{path}", content_type="application/json"
    )


def refusal(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def test_a_key_without_a_scope_is_not_made(website: IntegrationPoint) -> None:
    with pytest.raises(SelfsameError) as refused:
        make_key(website, "Test", [])
    assert [error["path"] for error in refused.value.data["errors"]] == ["scopes"]
    assert not ApiKey.objects.exists()


def test_a_key_is_long_random_and_kept_as_a_digest(website):
    text, key = make_key(website, "Test", ["track", "read"])
    mark, prefix, secret = text.split("_", 2)
    assert (mark, prefix, len(secret)) == ("ssk", key.prefix, 43)
    assert key.digest == hashlib.sha256(text.encode()).hexdigest()
    assert key.scopes == ["read", "track"]
    assert secret not in repr(ApiKey.objects.values().get())


def test_a_key_that_was_met_before_gives_access_to_its_point_in_one_query(website):
    text, key = make_key(website, "Test", ["read"])
    access_of(text, timezone.now())
    with CaptureQueriesContext(connection) as queries:
        access = access_of(text, timezone.now())
    point = Point(
        id=website.pk,
        system_name="website",
        kind="website",
        personal_actions=True,
        lookup_by=("email",),
        must_be_confirmed=frozenset({"email"}),
        gives_access=frozenset({"mobile_phone"}),
    )
    assert access == Access(key.pk, key.prefix, frozenset({"read"}), point, project_config_version())
    assert point_of(website) == point
    assert len(queries) == 1


def test_the_use_of_a_key_is_noted_once_a_minute(website):
    text, key = make_key(website, "Test", ["read"])
    access_of(text, timezone.now())
    key.refresh_from_db()
    first: Any = key.last_used_at
    access_of(text, timezone.now())
    key.refresh_from_db()
    assert key.last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
    access_of(text, first + timedelta(minutes=2))
    key.refresh_from_db()
    assert key.last_used_at
    assert key.last_used_at >= first


def test_noting_the_use_of_a_key_leaves_the_set_up_as_it_is(website):
    text, key = make_key(website, "Test", ["read"])
    before = project_config_version()
    access_of(text, timezone.now())
    key.refresh_from_db()
    assert key.last_used_at
    assert project_config_version() == before


def test_what_changes_of_a_point_holds_from_the_next_request_on(website):
    text, _ = make_key(website, "Test", ["read"])
    before = access_of(text, timezone.now())
    IntegrationPoint.objects.update(gives_access=["email", "mobile_phone"])
    after = access_of(text, timezone.now())
    assert before
    assert after
    assert (before.point.gives_access, after.point.gives_access) == (
        frozenset({"mobile_phone"}),
        frozenset({"email", "mobile_phone"}),
    )


@pytest.mark.parametrize("text", [None, "", "wrong", "ssk_00000000_" + "a" * 43, "ключ"])
def test_without_a_key_nobody_enters(text):
    response = answer(text and text.encode().decode("latin-1"))
    assert refusal(response) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Api-Key"


def test_another_scheme_is_no_key(website):
    text, _ = make_key(website, "Test", ["read"])
    assert refusal(answer(None, authorization=f"Bearer {text}")) == (401, "not_authenticated")


def test_a_revoked_key_is_refused(website):
    text, key = make_key(website, "Test", ["read"])
    assert answer(text).status_code == 200
    key.revoked_at = timezone.now()
    key.save()
    assert refusal(answer(text)) == (401, "not_authenticated")


def test_the_keys_of_a_disabled_point_are_refused(website):
    text, _ = make_key(website, "Test", ["read"])
    website.is_enabled = False
    website.save()
    assert refusal(answer(text)) == (401, "not_authenticated")


def test_a_key_needs_the_scope(website):
    text, _ = make_key(website, "Test", ["write"])
    response = answer(text)
    assert refusal(response) == (403, "permission_denied")
    assert "'read'" in response.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("post", "customers/register/", "write"),
        ("post", "customers/upsert/", "write"),
        ("post", "customers/edit/", "write"),
        ("post", "customers/authorize/", "write"),
        ("post", "customers/subscribe/", "write"),
        ("post", "customers/confirm/", "write"),
        ("post", "customers/batch/", "write"),
        ("post", "orders/", "write"),
        ("post", "points/", "write"),
        ("post", "promo_codes/", "write"),
        ("post", "customers/lookup/", "read"),
        ("post", "customers/preview/", "write"),
        ("post", "customers/explain/", "read"),
        ("get", "customers/", "read"),
        ("get", "customers/1/", "read"),
        ("get", "customers/1/history/", "read"),
        ("get", "customers/1/related/", "read"),
        ("get", "customers/1/activities/", "read"),
        ("get", "customers/1/sessions/", "read"),
        ("get", "customers/1/orders/", "read"),
        ("get", "customers/1/merges/", "read"),
        ("get", "segmentations/", "read"),
        ("get", "segments/1/customers/", "read"),
        ("get", "identifiers/owner/", "read"),
        ("post", "customers/merge/", "merge"),
        ("post", "merges/1/undo/", "merge"),
        ("get", "customers/1/export/", "privacy"),
        ("post", "customers/1/opt_out/", "privacy"),
        ("delete", "customers/1/", "privacy"),
    ],
)
def test_each_address_has_its_scope(website, method, path, scope):
    all_scopes = {"write", "read", "merge", "import", "privacy", "track"}
    without, _ = make_key(website, "Others", all_scopes - {scope})
    only, _ = make_key(website, "Only", {scope})
    assert refusal(answer(without, method, path)) == (403, "permission_denied")
    assert answer(only, method, path).status_code not in (401, 403, 405)


# --- Staff


@pytest.fixture
def staff(client):
    user = User.objects.create_user("ann", password="x", is_staff=True)
    seeing = Permission.objects.filter(codename__in=["view_customer", "view_contacts"])
    user.user_permissions.add(*seeing)
    client.force_login(user)
    return client


def test_staff_may_read(staff):
    assert staff.get("/api/v1/customers/").json() == {"next": None, "previous": None, "results": []}
    looked_up = staff.post("/api/v1/customers/lookup/", {"maestra_id": 1}, "application/json")
    assert refusal(looked_up) == (404, "customer_not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "customers/register/"),
        ("post", "customers/merge/"),
        ("get", "customers/1/export/"),
        ("delete", "customers/1/"),
    ],
)
def test_staff_may_only_read(staff, method, path):
    response = getattr(staff, method)(f"/api/v1/{path}", content_type="application/json")
    assert refusal(response) == (403, "permission_denied")


@pytest.mark.parametrize("is_staff", [True, False])
def test_a_user_without_the_permission_reads_nothing(client, is_staff):
    client.force_login(User.objects.create_user("bob", password="x", is_staff=is_staff))
    assert refusal(client.get("/api/v1/customers/")) == (403, "permission_denied")


def test_staff_who_may_not_see_contacts_read_them_masked(client):
    """R13"""
    shop = IntegrationPoint.objects.create(system_name="shop", kind="website", lookup_by=["maestra_id"])
    key, _key = make_key(shop, "Test", ["write", "read"])
    api = Client(headers={"authorization": f"Api-Key {key}"})
    sent = {"email": "ann@example.com", "mobile_phone": "+14155550122", "personal": {"last_name": "Oak"}}
    ann = api.post("/api/v1/customers/register/", sent, "application/json").json()["maestra_id"]
    rival = {"email": "bob@example.com", "mobile_phone": "+14155550122"}
    bob = api.post("/api/v1/customers/register/", rival, "application/json").json()["maestra_id"]
    assert "4155550122" in api.get(f"/api/v1/customers/{bob}/related/").content.decode()
    user = User.objects.create_user("viewer", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client.force_login(user)
    for person in (ann, bob):
        for path in ("", "history/", "related/", "orders/", "sessions/", "merges/"):
            read = client.get(f"/api/v1/customers/{person}/{path}")
            assert read.status_code == 200, path
            for hidden in ("ann@", "bob@", "4155550122"):
                assert hidden not in read.content.decode(), path
    assert client.get(f"/api/v1/customers/{ann}/").json()["emails"][0]["value"] == "a•••@e•••.com"
    assert client.get("/api/v1/segmentations/").status_code == 200
    found = {
        text: client.get("/api/v1/customers/", {"search": text}).json()["results"]
        for text in ("oak", "ann@exam", "0122")
    }
    assert {text: len(customers) for text, customers in found.items()} == {"oak": 1, "ann@exam": 0, "0122": 0}
    for path in ("export/", "activities/"):
        assert refusal(client.get(f"/api/v1/customers/{ann}/{path}")) == (403, "permission_denied")


def test_staff_who_care_for_privacy_may_export_and_it_is_noted(staff):
    user = User.objects.get(username="ann")
    user.user_permissions.add(Permission.objects.get(codename="change_customer"))
    Customer.objects.create(id=1, profile_id=1, registered_at=timezone.now())
    assert staff.get("/api/v1/customers/1/export/").status_code == 200
    assert Reveal.objects.values_list("user_name", "kind", "maestra_id").get() == ("ann", "export", 1)
    assert refusal(staff.delete("/api/v1/customers/1/")) == (403, "permission_denied")


def test_staff_read_through_a_point_that_hides_nothing():
    assert Point(id=None, system_name="admin", kind="admin") == STAFF


# --- How often


@pytest.fixture
def limited(settings, website, monkeypatch):
    """A key that may be used twice a minute, counted apart from what other tests count at the same time."""
    settings.API_REQUESTS_PER_MINUTE = 2
    monkeypatch.setattr(caches["default"], "key_prefix", uuid4().hex)
    OUTAGE.end()
    return make_key(website, "Test", ["read"]).text


def test_a_key_that_asks_too_often_is_told_when_to_come_back(limited, monkeypatch):
    monkeypatch.setattr("customers.redis.rate_limit.time.time", lambda: 1_000_000_015.0)
    answers = [answer(limited) for _ in range(3)]
    assert [found.status_code for found in answers[:2]] == [200, 200]
    assert refusal(answers[2]) == (429, "rate_limited")
    assert answers[2]["Retry-After"] == "5"
    assert {found["RateLimit-Policy"] for found in answers} == {'"default";q=2;w=60'}
    left = [f'"default";r={number};t=5' for number in (1, 0, 0)]
    assert [found["RateLimit"] for found in answers] == left
    monkeypatch.setattr("customers.redis.rate_limit.time.time", lambda: 1_000_000_075.0)
    assert answer(limited).status_code == 200


def test_each_key_has_its_own_limit(limited, website):
    for _ in range(3):
        answer(limited)
    assert answer(make_key(website, "Other", ["read"]).text).status_code == 200


def test_without_redis_nobody_is_refused(limited, monkeypatch):
    asked = []

    def away(*_: Any) -> int:
        asked.append(1)
        raise RedisAway

    monkeypatch.setattr("customers.redis.rate_limit.cache.incr", away)
    answers = [answer(limited) for _ in range(4)]
    assert [(found.status_code, "RateLimit" in found) for found in answers] == [(200, False)] * 4
    assert len(asked) == 1
    OUTAGE.end()
