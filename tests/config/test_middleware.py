import re

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from structlog.contextvars import get_contextvars

from config.middleware import RequestIdMiddleware, SessionMiddleware


def policy(client: Client, address: str) -> dict[str, str]:
    header = client.get(address).headers["Content-Security-Policy"]
    return dict(directive.split(" ", 1) for directive in header.split("; "))


def test_pages_load_from_this_server_alone(client: Client):
    assert policy(client, "/api/v1/nowhere/") == {
        "default-src": "'self'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "script", "style"),
    [
        ("/admin/login/", "'self' 'unsafe-eval'", "'self' 'unsafe-inline'"),
        ("/api/v1/docs/", None, "'self' 'unsafe-inline'"),
        ("/nowhere/admin/", None, None),
    ],
)
def test_only_the_admin_may_evaluate(client: Client, address: str, script: str | None, style: str | None):
    found = policy(client, address)
    assert (found.get("script-src"), found.get("style-src")) == (script, style)


@pytest.mark.django_db
@pytest.mark.parametrize("cookies", [{}, {"sessionid": "a", "time_zone": "Asia/Tokyo"}])
def test_calls_of_the_api_are_answered_with_the_same_headers_whoever_calls(cookies: dict[str, str]):
    client = Client()
    client.cookies.load(cookies)
    answer = client.get("/api/v1/customers/")
    assert answer.status_code == 401
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def test_a_call_with_a_key_passes_by_what_only_people_need(rf: RequestFactory):
    assert not hasattr(passed(rf.get("/api/v1/customers/")), "session")
    assert hasattr(passed(rf.get("/api/v1/customers/", headers={"cookie": "sessionid=a"})), "session")
    assert hasattr(passed(rf.get("/admin/")), "session")


def passed(request: HttpRequest) -> HttpRequest:
    """The request as it leaves the middleware of sessions."""
    SessionMiddleware(lambda _request: HttpResponse())(request)
    return request


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_told_where_a_middleware_sees_it_first(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
):
    def away(_origin: str) -> bool:
        raise error

    monkeypatch.setattr("config.middleware.is_of_a_site", away)
    client = Client(raise_request_exception=False)
    answer = client.post("/track/?key=a", headers={"origin": "https://shop.example"})
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    "address", ["/healthz/", "/api/v1/nowhere/", "/admin/login/", "/nowhere/", "/track/"]
)
@pytest.mark.django_db
def test_every_answer_has_the_number_that_the_caller_gave_it(client: Client, address: str):
    sent = "aZ09._-" + "x" * 121
    assert client.get(address, headers={"X-Request-Id": sent})["X-Request-Id"] == sent


@pytest.mark.parametrize("sent", [None, "", "x" * 129, "a b", "a@b", "é", "a\n"])
def test_without_a_proper_number_of_the_caller_it_gets_one_of_ours(client: Client, sent: str | None):
    numbers = {
        client.get("/healthz/", headers={"X-Request-Id": sent} if sent else {})["X-Request-Id"] for _ in "12"
    }
    assert len(numbers) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", number) for number in numbers)


def test_what_a_request_logs_bears_its_number(rf: RequestFactory):
    def logs(_request: HttpRequest) -> HttpResponse:
        seen.append(get_contextvars().get("request_id"))
        raise RuntimeError

    seen: list[str | None] = []
    number = "n-1"
    with pytest.raises(RuntimeError):
        RequestIdMiddleware(logs)(rf.get("/", headers={"X-Request-Id": number}))
    assert (seen, get_contextvars().get("request_id")) == ([number], None)
