"""The schema describes the API: whatever is sent by it is answered as it says, and never with a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.dedup.api.conftest import shop
from tests.scenarios.api import Api

__all__ = ["shop"]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
QUICKLY = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", get_wsgi_application())
# Hundreds of requests an operation. What may stand at any place of a record, test_parsing tries.
schema.config.phases.coverage.enabled = False
# Literals of the whole project as values to try: they are gathered anew for every operation, which takes
# longer than collecting all other tests.
schema.config.analysis.constants.enabled = False


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests do not end the transaction of the test, as Django's own client sees to."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def conforming(operation_id: str) -> Any:
    @pytest.mark.usefixtures("one_connection")
    @schema.include(operation_id=operation_id).parametrize()
    @QUICKLY
    def test(case: schemathesis.Case[Any], shop: Any) -> None:
        response = case.call(headers={"Authorization": shop.website.client.defaults["HTTP_AUTHORIZATION"]})
        case.validate_response(response, checks=CHECKS)

    return test


# One test each, by name: of tests that share a name, workers of pytest-xdist run only one.
for found in schema.get_all_operations():
    operation_id = str(found.ok().definition.raw["operationId"])  # type: ignore[union-attr]  # it raises what is wrong
    globals()[f"test_{operation_id}_answers_as_its_schema_says"] = conforming(operation_id)


# --- Records that make sense, in any order

EMAILS = st.sampled_from(["ann@example.com", "bob@example.com", "test@test.com", ""])
PHONES = st.sampled_from(["+14155550122", "(415) 555-0133"])
FLAGGED = st.fixed_dictionaries(
    {"value": EMAILS}, optional={"is_primary": st.booleans(), "is_confirmed": st.booleans()}
)
SMALL = st.sampled_from(["1", "2"])
CHANNELS = st.sampled_from(["email", "sms"])
STATUSES = st.sampled_from(["subscribed", "unsubscribed", "awaiting_confirmation"])
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "ids": st.fixed_dictionaries(
            {},
            optional={
                "crm_id": st.none() | SMALL,
                "strict_id": st.none() | SMALL,
                "session_key": st.none() | st.lists(SMALL, max_size=2),
                "maestra_id": st.integers(1, 3),
            },
        ),
        "email": st.none() | EMAILS | FLAGGED | st.lists(EMAILS | FLAGGED, max_size=2),
        "mobile_phone": st.none() | PHONES,
        "discount_card": st.none() | SMALL,
        "device_id": SMALL,
        "payment_card_hash": SMALL,
        "personal": st.fixed_dictionaries({"first_name": st.none() | SMALL}),
        "custom_fields": st.fixed_dictionaries({"weight": st.none() | st.integers(0, 9)}),
        "subscriptions": st.lists(
            st.fixed_dictionaries({"channel": CHANNELS, "status": STATUSES}), max_size=1
        ),
        "segments": st.lists(
            st.fixed_dictionaries(
                {"segmentation": st.just("loyalty"), "segment": st.sampled_from(["gold", None])}
            ),
            max_size=1,
        ),
    },
)
LOOKUPS = st.one_of(
    EMAILS.map(lambda value: {"email": value}),
    PHONES.map(lambda value: {"mobile_phone": value}),
    SMALL.map(lambda value: {"crm_id": value}),
    st.integers(1, 4).map(lambda value: {"maestra_id": value}),
)
ORDERS = st.fixed_dictionaries({"number": SMALL, "total": st.integers(-1, 5)})
REQUESTS = st.one_of(
    st.tuples(st.sampled_from(["register", "upsert", "subscribe"]).map("customers/{}/".format), RECORDS),
    st.tuples(
        st.just("customers/edit/"), st.builds(lambda lookup, r: {"lookup": lookup, **r}, LOOKUPS, RECORDS)
    ),
    st.tuples(st.just("customers/lookup/"), LOOKUPS),
    st.tuples(
        st.just("customers/authorize/"), st.fixed_dictionaries({"lookup": LOOKUPS, "device_id": SMALL})
    ),
    st.tuples(st.just("orders/"), st.fixed_dictionaries({"order": ORDERS, "customer": RECORDS})),
    st.tuples(
        st.just("points/"),
        st.fixed_dictionaries({"lookup": LOOKUPS, "amount": st.integers(-5, 5), "number": SMALL}),
    ),
    st.tuples(st.just("promo_codes/"), st.fixed_dictionaries({"lookup": LOOKUPS, "code": SMALL})),
    st.tuples(
        st.just("customers/merge/"),
        st.fixed_dictionaries({"customers": st.lists(LOOKUPS, min_size=1, max_size=2), "resulting": LOOKUPS}),
    ),
    st.tuples(
        st.just("customers/explain/"),
        st.fixed_dictionaries({"customers": st.lists(LOOKUPS, min_size=2, max_size=2)}),
    ),
    st.tuples(
        st.just("customers/preview/"),
        st.fixed_dictionaries({"operation": st.sampled_from(["register", "upsert"]), "record": RECORDS}),
    ),
    st.tuples(
        st.just("customers/batch/"),
        st.fixed_dictionaries({"operation": st.just("upsert"), "records": st.lists(RECORDS, max_size=3)}),
    ),
    st.tuples(
        st.just("customers/confirm/"),
        st.fixed_dictionaries(
            {
                "lookup": LOOKUPS,
                "contact": EMAILS.map(lambda value: {"email": value}),
                "confirmed_at": st.just("2026-01-01T00:00:00Z"),
            }
        ),
    ),
    st.tuples(st.integers(1, 3).map("merges/{}/undo/".format), st.just({})),
    st.tuples(st.integers(1, 3).map("customers/{}/opt_out/".format), st.just({})),
)
ACCEPTED = {200, 201, 400, 404, 409}


@given(st.lists(st.tuples(st.sampled_from(["website", "app", "forms"]), REQUESTS), max_size=8))
@settings(QUICKLY, max_examples=40)
def test_sensible_requests_in_any_order_have_a_lawful_answer(shop: Any, requests: list[Any]) -> None:
    for point, (path, body) in requests:
        api: Api = getattr(shop, point)
        answer = api.post(path, body)
        assert answer.status in ACCEPTED, (path, body, answer)
        if answer.status < 300 and answer.body.get("maestra_id"):
            assert_can_be_read(api, answer.body["maestra_id"])


def assert_can_be_read(api: Api, maestra_id: int) -> None:
    for part in ("", "history/", "related/", "orders/", "merges/", "export/"):
        assert api.get(f"customers/{maestra_id}/{part}").status == 200


# --- The schema itself


@pytest.fixture(scope="module")
def described() -> Any:
    return json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))


def addresses(resolver: URLResolver, prefix: str = "") -> set[str]:
    found = set()
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        found |= addresses(entry, route) if isinstance(entry, URLResolver) else {route}
        assert isinstance(entry, URLPattern | URLResolver)
    return found


def test_the_schema_is_valid(described):
    validate_schema(described)
    assert described["openapi"].startswith("3.1")


def test_every_address_is_described(described):
    routes = {
        r
        for r in addresses(get_resolver())
        if r.startswith("api/v1/") and "docs" not in r and "schema" not in r
    }
    shown = {path.replace("{", "<int:").replace("}", ">") for path in described["paths"]}
    assert {f"/{route}" for route in routes} == shown


def test_every_operation_is_explained(described):
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert all(operation["summary"] and operation["tags"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert {"401", "403", "429"} <= operation["responses"].keys()
        assert all(
            "application/problem+json" in response["content"]
            for status, response in operation["responses"].items()
            if status >= "400"
        )


def test_every_post_takes_an_idempotency_key(described):
    posts = [path["post"] for path in described["paths"].values() if "post" in path]
    assert all("Idempotency-Key" in {p["name"] for p in post["parameters"]} for post in posts)


def test_the_page_needs_nothing_from_elsewhere(client):
    page = client.get("/api/v1/docs/").content.decode()
    assert "https://" not in page.replace("https://example.com", "")
    assert "/static/drf_spectacular_sidecar/" in page
    assert client.options("/api/v1/docs/").status_code == 405
