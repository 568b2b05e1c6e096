"""How soon the admin's pages are there among many customers: lists, searches, filters, profiles.

The client is in this process: what is measured is the server's work, without the way to the browser.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import median

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from tests.benchmarks.filling import PHONES, fill, full_name
from tests.benchmarks.measuring import Table, Work, milliseconds
from tests.benchmarks.people import project

HEADINGS = ("page", "statements", "ms")
TIMES = 15
LIST = "customers/customer/"
TABS = ("identifiers", "subscriptions", "segments", "orders", "activity", "history", "merges", "graph")
OTHERS = (
    "",
    "dedup/import/",
    "dedup/merge/",
    "dedup/reviewpair/",
    "segments/segmentation/",
    "customers/change/",
    "customers/identifier/",
)
FILTERS = (
    "shown=anonymous",
    "subscription=email/subscribed",
    "subscription=viber/subscribed",
    "has_orders=yes",
    "has_orders=no",
    "contact=email",
    "contact=no_email",
    "contact=confirmed_email",
    "contact=card",
    "access=yes",
    "access=no",
    "point=website",
    "registered_from=2026-01-01",
    "active_until=2026-01-01",
    "has_orders=no&contact=no_email",
    "q=novak&contact=no_email",
)
OLD = 3000
"""So many of the oldest customers bear a name that nobody else does: the worst place to look for."""


def measured(customers: int) -> Table:
    project()
    made = fill(customers)
    Customer.objects.filter(pk__lt=made[OLD]).update(last_name="Oldman")
    table = Table(f"Pages of the admin among {customers:,} customers", HEADINGS)
    for name, work in _pages(made[len(made) // 2 // 15 * 15]):
        work()
        with CaptureQueriesContext(connection) as queries:
            work()
        table.rows.append((name, len(queries), median(milliseconds(work) for _ in range(TIMES))))
    return table


def _pages(maestra_id: int) -> Iterator[tuple[str, Work]]:
    searches = {
        "MaestraID": maestra_id,
        "e-mail": f"known{maestra_id}@example.com",
        "phone": f"+1415{maestra_id + PHONES}",
        "ID": f"known-{maestra_id}",
        "device": f"browser-{maestra_id}",
        "both names": full_name(maestra_id),
        "beginning of a common name": "Silva",
        "beginning of a first name": "Ann12",
        "name of the oldest": "oldman",
        "both names, common": "ann12 novak",
        "a letter of each name": "a s",
        "beginning of an e-mail": f"known{maestra_id // 10}",
        "domain of everybody's e-mail": "example.com",
        "last digits of a phone": f"-{(maestra_id + PHONES) % 10_000:04}",
        "nobody": "nobody has this",
    }
    addresses = [("list", LIST), ("list, page 40", f"{LIST}?p=40"), ("by registration", f"{LIST}?o=-5")]
    addresses += [(f"search, {name}", f"{LIST}?q={text}") for name, text in searches.items()]
    addresses += [(f"filter, {query}", f"{LIST}?{query}") for query in FILTERS]
    addresses += [("profile", f"{LIST}{maestra_id}/change/")]
    addresses += [(f"profile, {tab}", f"{LIST}{maestra_id}/tab/{tab}/") for tab in TABS]
    addresses += [(path or "dashboard", path) for path in OTHERS]
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.create_superuser("measuring"))
    return ((name, partial(_get, client, address)) for name, address in addresses)


def _get(client: Client, address: str) -> None:
    answer = client.get(f"/admin/{address.replace('+', '%2B')}", follow=True)
    assert answer.status_code == 200, answer.content
