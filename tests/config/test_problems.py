import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError, connection
from django.http import Http404
from django.test import Client, override_settings
from django.urls import path
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config import urls
from config.problems import as_refusal, problem
from customers.errors import ErrorCode, SelfsameError, invalid


class Echo(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        return Response(request.data)

    def put(self, _request: Request) -> Response:
        raise LookupError("ann@example.com")


urlpatterns = [path("api/v1/echo/", Echo.as_view()), *urls.urlpatterns]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500


@pytest.fixture
def api() -> Iterator[Client]:
    with override_settings(ROOT_URLCONF=__name__):
        yield Client(raise_request_exception=False)


def refusal_of(error: Exception) -> SelfsameError:
    refusal = as_refusal(error)
    assert refusal is not None
    return refusal


def post(api: Client, body: bytes | str, content_type: str = "application/json", **headers: str):
    return api.generic("POST", "/api/v1/echo/", body, content_type, headers=headers)


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (exceptions.NotAuthenticated(), "not_authenticated", 401),
        (exceptions.AuthenticationFailed(), "not_authenticated", 401),
        (exceptions.PermissionDenied(), "permission_denied", 403),
        (PermissionDenied(), "permission_denied", 403),
        (exceptions.NotFound(), "not_found", 404),
        (Http404(), "not_found", 404),
        (exceptions.MethodNotAllowed("PUT"), "method_not_allowed", 405),
        (exceptions.UnsupportedMediaType("text/html"), "unsupported_media_type", 415),
        (exceptions.Throttled(wait=2.3), "rate_limited", 429),
        (exceptions.ParseError(), "validation_error", 400),
        (exceptions.ValidationError("no"), "validation_error", 400),
        (SuspiciousOperation(), "validation_error", 400),
        (RequestDataTooBig(), "too_large", 413),
        (OperationalError("deadlock detected"), "busy", 503),
        (SelfsameError(ErrorCode.STALE_PREVIEW, "Preview again."), "stale_preview", 409),
    ],
)
def test_every_foreseen_error_has_its_code(error: Exception, code: str, status: int):
    refusal = refusal_of(error)
    answer = problem(refusal)
    assert (refusal.code.value, answer.status_code) == (code, status)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_unforeseen_error_is_left_to_django():
    assert as_refusal(LookupError()) is None


def test_a_problem_carries_what_its_code_promises():
    answer = problem(SelfsameError(ErrorCode.AMBIGUOUS_CUSTOMER, "They are two.", maestra_ids=[1, 2]))
    assert json.loads(answer.content) == {
        "type": "urn:selfsame:ambiguous_customer",
        "title": "Unable to uniquely determine the customer",
        "status": 409,
        "detail": "They are two.",
        "code": "ambiguous_customer",
        "maestra_ids": [1, 2],
    }


def test_whoever_should_wait_is_told_how_long():
    waits = [
        problem(refusal_of(error)).headers["Retry-After"]
        for error in (exceptions.Throttled(2.3), OperationalError())
    ]
    assert waits == ["3", "1"]


def test_nested_validation_messages_become_paths():
    detail: Any = {
        "records": [{}, {"email": ["Not an address."]}],
        "ids": {"non_field_errors": ["None."]},
        "mode": ["No."],
    }
    assert (
        refusal_of(exceptions.ValidationError(detail)).data
        == invalid(("records[1].email", "Not an address."), ("ids", "None."), ("mode", "No.")).data
    )


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1,]",
        b'{"a": NaN}',
        b"\xff",
        b"[" * 100_000,
        b"9" * 5000,
        b'"\\ud800"',
        b'{"a\\u0000": 1}',
    ],
)
def test_a_body_that_is_not_proper_json_is_invalid(api: Client, body: bytes):
    answer = post(api, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


def test_a_text_that_no_database_stores_is_named_by_its_place(api: Client):
    answer = post(api, b'{"records": [{"email": "a\\u0000b"}], "name": "\\ud83d\\ude00"}')
    assert [error["path"] for error in answer.json()["errors"]] == ["records[0].email"]


def test_a_key_that_stands_twice_is_named_by_its_place(api: Client):
    body = b'{"records": [{"email": "a", "email": "b", "ids": {"x": 1, "x": 1, "y": {}}}], "a": {}, "a": 1}'
    answer = post(api, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    paths = [error["path"] for error in answer.json()["errors"]]
    assert paths == ["a", "records[0].email", "records[0].ids.x"]


def test_a_proper_body_arrives(api: Client):
    body = {"name": "Zoë 😀", "list": [1, 2.5, None, {"a": "\\u0000"}]}
    assert post(api, json.dumps(body)).json() == body


@override_settings(MAX_BODY_SIZE=10, MAX_UPLOAD_SIZE=20)
@pytest.mark.parametrize(
    ("content_type", "size", "status"),
    [
        ("application/json", 11, 413),
        ("multipart/form-data; boundary=x", 11, 415),
        ("multipart/form-data; boundary=x", 21, 413),
    ],
)
def test_a_body_above_its_limit_is_too_large(api: Client, content_type: str, size: int, status: int):
    answer = post(api, b"1" * size, content_type)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


@override_settings(MAX_UPLOAD_SIZE=20)
def test_a_form_of_the_admin_that_is_too_large_is_answered_with_a_page():
    browser = Client(headers={"accept": "text/html,*/*;q=0.8"})
    answer = browser.post("/admin/dedup/import/new/", b"1" * 21, "multipart/form-data; boundary=x")
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "text/html; charset=utf-8")
    assert '<data value="20">' in answer.content.decode()


def test_a_body_in_chunks_is_refused_rather_than_taken_for_an_empty_one(api: Client):
    answer = post(api, b"1", transfer_encoding="chunked")
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("GET", "/api/v1/nowhere/", 404, "not_found"),
        ("POST", "/api/v1/echo", 404, "not_found"),
        ("GET", "/api/v1/echo/", 405, "method_not_allowed"),
        ("PUT", "/api/v1/echo/", 500, "internal_error"),
    ],
)
def test_the_api_answers_problems_whatever_happens(
    api: Client, method: str, address: str, status: int, code: str
):
    answer = api.generic(method, address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["code"] == code
    assert "ann@example.com" not in answer.text


def test_other_media_types_are_not_supported(api: Client):
    assert post(api, "a=1", "application/x-www-form-urlencoded").json()["code"] == "unsupported_media_type"


def test_json_is_answered_also_to_those_who_asked_for_something_else(api: Client):
    assert post(api, "1", accept="text/html").json() == 1


@pytest.mark.django_db
def test_pages_outside_the_api_answer_html(api: Client):
    assert "<html" in api.get("/nowhere/").text


def test_a_database_that_is_gone_promises_nothing_of_what_was_stored():
    refusal = refusal_of(OperationalError("server closed the connection unexpectedly"))
    assert refusal.detail == (
        "The database does not answer. Send the request again, with the Idempotency-Key it had."
    )


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_is_not_to_be_had_is_busy():
    with pytest.raises(OperationalError) as raised, connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE lock_not_available; END $$")
    assert isinstance(raised.value.__cause__, psycopg.errors.LockNotAvailable)
    refusal = refusal_of(raised.value)
    assert refusal.code is ErrorCode.BUSY
    assert "Nothing was stored" in refusal.detail
