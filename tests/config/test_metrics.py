"""Who may read `/metrics`."""

from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
TOKEN = "Bearer s3cret"


def status(**meta: Any) -> int:
    return Client(**meta).get("/metrics").status_code


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine_may_read_them(address: str):
    answer = Client(REMOTE_ADDR=address).get("/metrics")
    assert (answer.status_code, "django_http_requests" in answer.content.decode()) == (200, True)


@pytest.mark.parametrize(
    "meta",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_FORWARDED": "for=127.0.0.1"},
        {"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": "Bearer"},
        {"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": "Bearer other"},
    ],
)
@pytest.mark.parametrize("token", ["", "s3cret"])
def test_nobody_else_may(meta: dict[str, Any], token: str, settings: Any):
    settings.METRICS_TOKEN = token
    answer = Client(**meta).get("/metrics")
    assert (answer.status_code, answer["WWW-Authenticate"], answer.content) == (401, "Bearer", b"")


def test_whoever_has_the_token_may_from_anywhere(settings: Any):
    settings.METRICS_TOKEN = "s3cret"
    for meta in ({"REMOTE_ADDR": "10.0.0.7"}, {"HTTP_X_FORWARDED_FOR": "10.0.0.7"}):
        assert status(HTTP_AUTHORIZATION=TOKEN, **meta) == 200


def test_a_scrape_by_address_and_without_tls_is_answered(settings: Any):
    settings.SECURE_SSL_REDIRECT = True
    assert status(HTTP_HOST="10.1.2.3:8000") == 200
