import pytest
from django.test import Client


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
