"""The demo: a small shop whose customers show the rules at work. Everything in it is done by the real
operations.

Paul and his wife share a browser, Evan mistypes a phone, Scott has two profiles that become one, a loyalty
programme is integrated wrongly. The comments say what becomes of each, and so do the histories of the
customers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from customers.models import IntegrationPoint, Order
from customers.presentation.csv import csv_lines
from customers.setup.integration_points import point_of
from customers.setup.project_config import project_config
from dedup.engine.record import Operation
from dedup.imports import operations as imports
from dedup.imports.columns.options import Options
from dedup.imports.processing.chunks import step_of
from dedup.models import ImportKind
from dedup.operations.base import Caller
from dedup.operations.records import submit_one
from dedup.parsing.records import Parser
from segments.recalculation import ask_for_all

SETUP = Path(__file__).with_name("demo.yaml")
SITE_KEY = "ssp_demoshop1"
"""The key in the page static/demo/shop.html."""
LENGTH = timedelta(days=40)
"""How long the story takes; it ends today."""

PAUL_PHONE, EVAN_PHONE, SCOTT_PHONE = "(415) 555-0122", "(415) 555-0144", "(415) 555-0177"
PAUL, LINDA = "paul.peterson@example.com", "linda.peterson@example.com"
EVAN, SCOTT, OLIVIA = "evan@example.com", "scott@example.com", "olivia@example.com"
NINA, ANN, CLARA = "nina@example.com", "ann@example.com", "clara@example.com"
HOME, OFFICE, LINDAS_MOBILE = "browser-at-home", "browser-at-the-office", "browser-on-lindas-phone"
PAULS_ORDER = "S-1001"
NEWS = [{"channel": "email", "topic": "news", "status": "subscribed"}]


@dataclass(frozen=True, slots=True)
class Step:
    """One record of the story, on a day of it."""

    day: float
    point: str
    operation: Operation
    body: Mapping[str, Any]


def register(day: float, point: str, **record: Any) -> Step:
    return Step(day, point, Operation.REGISTER, record)


def upsert(day: float, point: str, **record: Any) -> Step:
    return Step(day, point, Operation.UPSERT, record)


def edit(day: float, point: str, lookup: Mapping[str, str], **record: Any) -> Step:
    return Step(day, point, Operation.EDIT, {"lookup": lookup, **record})


def sign_in(day: float, point: str, lookup: Mapping[str, str], device: str) -> Step:
    return Step(day, point, Operation.AUTHORIZE, {"lookup": lookup, "device_id": device})


def subscribe(day: float, point: str, **record: Any) -> Step:
    return Step(day, point, Operation.SUBSCRIBE, {"subscriptions": NEWS, **record})


def order(day: float, point: str, number: str, total: str, **customer: Any) -> Step:
    bought = {"number": number, "total": total, "currency": "USD", "status": "paid"}
    return Step(day, point, Operation.ORDER, {"order": bought, "customer": customer})


@dataclass(frozen=True, slots=True)
class NightlyFile:
    """A day's orders as a file to be imported: number, total and mobile phone of each."""

    day: float
    point: str
    orders: tuple[tuple[str, str, str], ...]


def points(day: float, point: str, lookup: Mapping[str, str], amount: int, reason: str) -> Step:
    movement = {"lookup": lookup, "amount": amount, "reason": reason, "number": f"demo-{day}"}
    return Step(day, point, Operation.POINTS, movement)


STORY: tuple[Step | NightlyFile, ...] = (
    # Paul enters a contest on a landing page, then registers and orders on the site, from the same browser:
    # one profile.
    subscribe(0, "landing_page", email=PAUL, device_id=HOME),
    register(
        2,
        "website",
        ids={"website_id": "535"},
        mobile_phone=PAUL_PHONE,
        personal={"first_name": "Paul", "last_name": "Peterson", "gender": "male"},
        custom_fields={"shoe_size": 43},
        device_id=HOME,
    ),
    order(2.1, "website", PAULS_ORDER, "129.90", ids={"website_id": "535"}),
    Step(2.2, "website", Operation.PROMO_CODE, {"lookup": {"website_id": "535"}, "code": "WELCOME-PAUL"}),
    upsert(3, "admin", ids={"website_id": "535"}, segments=[{"segmentation": "loyalty", "segment": "gold"}]),
    sign_in(4, "website", {"website_id": "535"}, OFFICE),
    # Linda buys from the same browser under her own address: a customer of her own, and the browser is hers
    # until Paul signs in.
    order(
        6,
        "website",
        "S-1002",
        "89.00",
        ids={"website_id": "536"},
        email=LINDA,
        personal={"first_name": "Linda", "last_name": "Peterson", "gender": "female"},
        device_id=HOME,
    ),
    subscribe(7, "website", email=LINDA, device_id=HOME),
    sign_in(8, "website", {"email": LINDA}, LINDAS_MOBILE),
    sign_in(9, "website", {"website_id": "535"}, HOME),
    # Evan asks for advice and mistypes his phone; it is Paul's, who has orders, and stays Paul's.
    upsert(11, "website", email=EVAN, mobile_phone=PAUL_PHONE, device_id="browser-of-evan"),
    # The night's file of the call centre has an order under Paul's phone: it is his.
    NightlyFile(12, "call_centre", (("C-2001", "45.50", PAUL_PHONE),)),
    # Evan leaves his own phone. A file then names it with another address: it stays with Evan, who is active.
    edit(14, "website", {"email": EVAN}, mobile_phone=EVAN_PHONE, device_id="browser-of-evan"),
    upsert(15, "crm_import", email="somebody.else@example.com", mobile_phone=EVAN_PHONE),
    # Scott subscribes on his desktop, orders on his phone, and later adds the same address to that account:
    # one profile.
    subscribe(17, "website", email=SCOTT, device_id="desktop-of-scott"),
    order(
        18,
        "app",
        "A-3001",
        "210.00",
        mobile_phone=SCOTT_PHONE,
        personal={"first_name": "Scott"},
        mobile_device_id="phone-of-scott",
    ),
    edit(20, "app", {"mobile_phone": SCOTT_PHONE}, email=SCOTT),
    # Olivia allows web push one day and subscribes by e-mail the next, in the same browser: one profile.
    upsert(
        21,
        "website",
        device_id="browser-of-olivia",
        subscriptions=[{"channel": "web_push", "status": "subscribed"}],
    ),
    subscribe(22, "website", email=OLIVIA, device_id="browser-of-olivia"),
    # Nina is in the CRM twice. 103 is the current ID, and 301 still finds her.
    register(24, "crm_import", ids={"crm_id": "301"}, email=NINA, personal={"first_name": "Nina"}),
    register(
        25,
        "crm_import",
        ids={"crm_id": "103"},
        email=NINA,
        personal={"first_name": "Nina", "last_name": "Reyes"},
    ),
    edit(26, "admin", {"crm_id": "301"}, mobile_phone="(415) 555-0188"),
    # Ann joins the loyalty programme at the till with her phone and on the website with her address. Two
    # accounts, so they stay two customers; had the website asked for the phone, it would have told her that
    # she is registered.
    register(
        28,
        "point_of_sale",
        mobile_phone="(415) 555-0155",
        email=ANN,
        discount_card="7001",
        personal={"first_name": "Ann"},
    ),
    points(28.1, "point_of_sale", {"mobile_phone": "(415) 555-0155"}, 100, "Welcome"),
    register(30, "loyalty_website", email=ANN, discount_card="7002", personal={"first_name": "Ann"}),
    points(30.1, "loyalty_website", {"email": ANN}, 50, "Welcome"),
    # Carl's phone was on file. At the till it becomes his account: one profile.
    upsert(32, "crm_import", ids={"crm_id": "410"}, mobile_phone="+1 555 123 1212"),
    register(33, "point_of_sale", mobile_phone="+1 555 123 1212", personal={"first_name": "Carl"}),
    # Clara signs in with her address; that she later subscribes with it changes nothing about that.
    register(35, "loyalty_website", email=CLARA, personal={"first_name": "Clara"}),
    subscribe(36, "landing_page", email=CLARA),
)


def play() -> bool:
    """Play the story, all of it or nothing. False where it was played before: then nothing happens."""
    with transaction.atomic():
        # One player at a time.
        list(IntegrationPoint.objects.select_for_update().order_by("id"))
        # Orders stay when their customer is erased (R54).
        if Order.objects.filter(number=PAULS_ORDER).exists():
            return False
        start = timezone.now() - LENGTH
        for step in STORY:
            if isinstance(step, NightlyFile):
                receive(step, start)
            else:
                act(step, start)
        ask_for_all()
        return True


def receive(file: NightlyFile, start: datetime) -> None:
    """Import a file and process it at once."""
    placed_at = (start + timedelta(days=file.day)).isoformat()
    rows = [("OrderNumber", "Total", "Currency", "MobilePhone", "PlacedAt")]
    rows += [(number, total, "USD", phone, placed_at) for number, total, phone in file.orders]
    source = imports.start(
        point=point_of(IntegrationPoint.objects.get(system_name=file.point)),
        actor="system",
        user_id=None,
        file=BytesIO("".join(csv_lines(rows)).encode()),
        name="orders-of-the-night.csv",
        kind=ImportKind.ORDERS,
        options=Options(),
    )
    while step_of(source):
        source = imports.find(source.pk)


def act(step: Step, start: datetime) -> None:
    point = point_of(IntegrationPoint.objects.get(system_name=step.point))
    parser = Parser(point, project_config(), timezone.now())
    record = parser.record(step.operation, dated(step, start + timedelta(days=step.day)))
    submit_one(Caller(actor="system", point=point), record)


def dated(step: Step, at: datetime) -> dict[str, Any]:
    """The body with the time of the step, in the field where the operation has it."""
    moment = at.isoformat()
    match step.operation:
        case Operation.ORDER:
            return {**step.body, "order": {**step.body["order"], "placed_at": moment}}
        case Operation.PROMO_CODE:
            return {**step.body, "issued_at": moment}
        case Operation.POINTS:
            return dict(step.body)
        case _:
            return {**step.body, "occurred_at": moment}
