"""What a request costs: its messages to the database, counted through the whole stack."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.setup.project_config import VERSION

OF_TRANSACTIONS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def messages(work) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        work()
    sent = (query["sql"].strip() for query in queries)
    return [message for message in sent if not message.startswith(OF_TRANSACTIONS)]


def person(number: int) -> dict[str, object]:
    return {
        "ids": {"crm_id": f"c{number}"},
        "email": f"p{number}@example.com",
        "mobile_phone": f"+1415555012{number}",
        "device_id": f"d-{number}",
        "personal": {"first_name": "Ann"},
        "subscriptions": [{"channel": "email", "status": "subscribed"}],
    }


@pytest.mark.parametrize(
    ("path", "bodies", "count"),
    [
        ("customers/register/", [person(1), person(2), person(3)], 4),  # one asks the suppression list
        ("customers/lookup/", [{"email": "p1@example.com"}, {"email": "p2@example.com"}], 2),
    ],
)
def test_a_request_takes_a_fixed_number_of_messages_that_begin_with_the_set_up(shop, path, bodies, count):
    for number in (1, 2):
        shop.website.post("customers/lookup/", {"email": f"p{number}@example.com"})  # now the key was met
    sent = [messages(lambda body=body: shop.website.post(path, body)) for body in bodies]
    assert [len(some) for some in sent] == [count] * len(bodies)
    assert {some[0] for some in sent} == {VERSION}
    assert not any("customers_apikey" in message for some in sent for message in some)
