import pytest
from django.test import RequestFactory

from customers.client_address import client_address


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        (0, "10.0.0.1", "1.2.3.4", "10.0.0.1"),
        (1, "10.0.0.1", "1.2.3.4", "1.2.3.4"),
        (1, "10.0.0.1", "9.9.9.9, 1.2.3.4", "1.2.3.4"),
        (2, "10.0.0.1", "9.9.9.9, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        (2, "10.0.0.1", "1.2.3.4", "10.0.0.1"),
        (1, "10.0.0.1", "", "10.0.0.1"),
        (1, "10.0.0.1", "unknown", "10.0.0.1"),
        (0, "", "", None),
        (0, "::ffff:1.2.3.4", "", "1.2.3.4"),
        (0, "2001:db8:1:2:3::4", "", "2001:db8:1:2::"),
    ],
)
def test_the_client_stands_before_what_our_own_proxies_added(
    settings, proxies: int, peer: str, forwarded: str, address: str | None
):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == address
