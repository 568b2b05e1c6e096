"""A small client of the HTTP API, and the project the stories are played in.

A project is set up with `manage.py configure` and reached through its integration points' keys, nothing else:

    shop = project(pos={"mobile_phone": ACCESS}, kinds={"crm_id": NO_MERGE})
    ann = shop.website.register(day=1, email=ANN, crm_id="301").id
    with shop.refuses("technical_id_not_unique"):
        shop.website.register(crm_id="301")
    assert shop.profile(ann) == {"emails": {ANN: "primary"}, "ids": {"crm_id": "301"}}

A verb of a point (`register`, `edit`, …) returns the answer, or raises `RefusedError`. `shop.refuses(code)`
expects that, and that nothing known of any customer changed. In records, IDs and personal data may be given
by their bare names, and `day=3` is the time `at(3)`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"
PHONE, PHONE_2, PHONE_3 = "+14155550101", "+14155550102", "+14155550103"
CARD, CARD_2 = "7001", "7002"
DEVICE, DEVICE_2 = "browser-one", "browser-two"
HASH = "5f3e9a71c4d2b806" * 4

CONFIRM = {"must_be_confirmed": True}
ACCESS = {"gives_account_access": True}
NO_MERGE = {"do_not_merge_different": True}

POINTS = ("website", "landing", "app", "pos", "call_centre", "crm_import", "admin")
ID_KINDS = ("maestra_id", "crm_id", "website_id", "session_key")
PERSONAL = ("last_name", "first_name", "middle_name", "birth_date", "gender")
VETOES = ("apart", "different_unique_ids", "different_account_access", "different_emails", "different_phones")
STATUS_OF_CODE = {
    "validation_error": 400,
    "not_authenticated": 401,
    "permission_denied": 403,
    "customer_not_found": 404,
    "not_found": 404,
    "technical_id_not_unique": 409,
    "already_registered": 409,
    "ambiguous_customer": 409,
    "merge_blocked": 409,
    "stale_preview": 409,
    "code_invalid": 409,
    "code_expired": 409,
    "erased_person": 409,
    "idempotency_conflict": 409,
    "too_large": 413,
}

SETUP = """
settings: {default_region: US, shared_device_limit: 5}
identifier_kinds:
  - {system_name: crm_id, name: CRM ID, unique: true, do_not_merge_different: false}
  - {system_name: website_id, name: Website ID, unique: true, do_not_merge_different: false}
  - {system_name: session_key, name: Session key, unique: false}
custom_fields:
  - {system_name: shoe_size, name: Shoe size, type: integer, merge: larger}
  - {system_name: colour, name: Favourite colour, type: string, merge: priority}
  - {system_name: city, name: City, type: string, merge: priority}
integration_points:
  - {system_name: website, name: Website, kind: website, personal_actions: true}
  - {system_name: landing, name: Landing page, kind: website, personal_actions: true}
  - {system_name: app, name: App, kind: app, personal_actions: true}
  - {system_name: pos, name: Point of sale, kind: point_of_sale, personal_actions: true}
  - {system_name: call_centre, name: Call centre, kind: call_centre, personal_actions: true}
  - {system_name: crm_import, name: CRM import, kind: crm, personal_actions: false}
  - {system_name: admin, name: Back office, kind: admin, personal_actions: false}
segmentations:
  - system_name: mailings
    name: Mailings
    kind: static
    segments: [{system_name: subscribed, name: Subscribed to mailings}]
  - {system_name: bread, name: Bread, kind: static, segments: [{system_name: buys_bread, name: Buys bread}]}
  - system_name: loyalty
    name: Loyalty
    kind: static
    segments: [{system_name: level_1, name: Level 1}, {system_name: level_2, name: Level 2}]
  - system_name: opens
    name: E-mail opens
    kind: static
    segments: [{system_name: never, name: Does not open e-mails}]
"""
ALL_SCOPES = ["write", "read", "merge", "import", "privacy", "track"]
CONTACTS = ("email", "mobile_phone", "discount_card")

FIRST_DAY = datetime(2024, 1, 1, 10, tzinfo=UTC)


def at(day: float) -> str:
    """The time of a day of the story, long past."""
    return (FIRST_DAY + timedelta(days=day)).isoformat()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def happened(entry: dict[str, Any]) -> datetime:
    """When what a history entry tells of happened (R40)."""
    return moment(entry["occurred_at"] or entry["at"])


def subscription(
    channel: str, status: str = "subscribed", topic: str | None = None, **more: Any
) -> dict[str, Any]:
    return {"channel": channel, "status": status, **({"topic": topic} if topic else {}), **more}


def segment(segmentation: str, name: str, since: str | None = None) -> dict[str, Any]:
    return {"segmentation": segmentation, "segment": name, **({"since": since} if since else {})}


@cache
def usual_setup() -> dict[str, Any]:
    return dict(yaml.safe_load(SETUP))


def setup(**overrides: Any) -> dict[str, Any]:
    """The usual set-up, changed by name.

    A point's name takes what differs in that point (a contact type: its flags; else an attribute), `kinds`
    what differs in identifier kinds, `settings` what differs in the settings; any other section is as given.
    """
    config = deepcopy(usual_setup())
    for name, changes in overrides.items():
        if name in POINTS:
            change_point(point_named(config, name), changes)
        elif name == "kinds":
            for kind in config["identifier_kinds"]:
                kind.update(changes.get(kind["system_name"], {}))
        elif name == "settings":
            config["settings"].update(changes)
        else:
            config[name] = changes
    for point in config["integration_points"]:
        point.setdefault("scopes", ALL_SCOPES)
    return config


def point_named(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(point for point in config["integration_points"] if point["system_name"] == name)


def change_point(point: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if key in CONTACTS:
            point.setdefault("contacts", {})[key] = value
        else:
            point[key] = value


def record(day: float | None = None, **given: Any) -> dict[str, Any]:
    """A record as the API takes it, from bare names."""
    body = {key: value for key, value in given.items() if key not in (*ID_KINDS, *PERSONAL)}
    ids = {key: given[key] for key in ID_KINDS if key in given}
    personal = {key: given[key] for key in PERSONAL if key in given}
    if ids:
        body["ids"] = ids
    if personal:
        body["personal"] = personal
    if day is not None:
        body["occurred_at"] = at(day)
    return body


class Answer(NamedTuple):
    status: int
    body: Any


class RefusedError(AssertionError):
    """The API answered with a problem."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.body}")
        self.status, self.body = answer


@dataclass
class Problem:
    """What a refusal said; filled when `refuses` ends."""

    body: dict[str, Any] = field(default_factory=dict)

    @property
    def reasons(self) -> list[str]:
        return names_in(self.body["reasons"], (*VETOES, "later_merges", "already_undone", "erased"))

    @property
    def paths(self) -> str:
        return " ".join(str(error["path"]) for error in self.body["errors"])


def names_in(items: Iterable[Any], names: Iterable[str]) -> list[str]:
    """The one of `names` that each item has, be it a string or an object."""
    return [name for item in items for name in names if f'"{name}"' in json.dumps(item)]


@dataclass
class Outcome:
    """The answer of an operation on a customer."""

    status_code: int
    body: dict[str, Any]

    @property
    def status(self) -> str:
        return str(self.body["status"])

    @property
    def id(self) -> int:
        return int(self.body["maestra_id"])

    @property
    def customer(self) -> dict[str, Any]:
        return dict(self.body["customer"])

    @property
    def merged(self) -> list[int]:
        return list(self.body["merged_maestra_ids"])

    @property
    def merge_ids(self) -> list[Any]:
        return list(self.body["merge_ids"])

    @property
    def warnings(self) -> list[Any]:
        return list(self.body["warnings"])

    @property
    def settled(self) -> list[tuple[str, int, int, str]]:
        """The contests: type, who keeps, who loses, by which criterion."""
        found = self.body["conflicts"]
        return [(c["type"], c["kept_by"], c["lost_by"], c["decided_by"]) for c in found]

    @property
    def moved(self) -> list[tuple[str, str, int, int]]:
        return [(m["type"], m["value"], m["from"], m["to"]) for m in self.body["moved"]]


class Api:
    """One integration point, through its key."""

    def __init__(self, key: str | None, seen: set[int] | None = None) -> None:
        headers = {"authorization": f"Api-Key {key}"} if key else {}
        self.client = Client(headers=headers, raise_request_exception=False)
        self.seen = set() if seen is None else seen

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        data = body if isinstance(body, str) else json.dumps(body)
        response = self.client.post(f"/api/v1/{path}", data, "application/json", headers=headers or None)
        return self._answer(response)

    def get(self, path: str, **query: Any) -> Answer:
        return self._answer(self.client.get(f"/api/v1/{path}", query))

    def delete(self, path: str) -> Answer:
        return self._answer(self.client.delete(f"/api/v1/{path}"))

    def _answer(self, response: Any) -> Answer:
        body: Any = json.loads(response.content) if response.content else None
        if response.status_code >= 400:
            assert response.headers["Content-Type"].startswith("application/problem+json"), body
            assert {"type", "title", "status", "detail", "code"} <= body.keys()
            assert body["status"] == response.status_code
        return Answer(response.status_code, body)

    def done(self, path: str, body: Any, **headers: str) -> Outcome:
        answer = self.post(path, body, **headers)
        if answer.status >= 400:
            raise RefusedError(answer)
        self.seen |= {answer.body[key] for key in ("maestra_id",) if answer.body.get(key)}
        self.seen.update(answer.body.get("merged_maestra_ids", ()))
        return Outcome(answer.status, answer.body)

    def register(self, **given: Any) -> Outcome:
        return self.done("customers/register/", record(**given))

    def upsert(self, **given: Any) -> Outcome:
        return self.done("customers/upsert/", record(**given))

    def subscribe(self, **given: Any) -> Outcome:
        return self.done("customers/subscribe/", record(**given))

    def edit(self, lookup: int | Mapping[str, Any], **given: Any) -> Outcome:
        return self.done("customers/edit/", {"lookup": by(lookup), **record(**given)})

    def lookup(self, **identifier: Any) -> Outcome:
        return self.done("customers/lookup/", identifier)

    def authorize(self, lookup: int | Mapping[str, Any], device_id: str) -> Outcome:
        return self.done("customers/authorize/", {"lookup": by(lookup), "device_id": device_id})

    def order(self, number: str, day: float, customer: Mapping[str, Any], **order: Any) -> Outcome:
        """An order of that day; its customer's record is of the same day if it does not say otherwise."""
        placed = {"number": number, "total": "10.00", "currency": "USD", "placed_at": at(day), **order}
        return self.done("orders/", {"order": placed, "customer": record(**{"day": day, **customer})})

    def points(self, lookup: int | Mapping[str, Any], amount: int, number: str) -> Outcome:
        body = {"lookup": by(lookup), "amount": amount, "reason": "purchase", "number": number}
        return self.done("points/", body)

    def promo_code(self, lookup: int | Mapping[str, Any], code: str, day: float = 1) -> Outcome:
        return self.done("promo_codes/", {"lookup": by(lookup), "code": code, "issued_at": at(day)})

    def confirm(self, lookup: int | Mapping[str, Any], day: float, **contact: str) -> Outcome:
        """A confirmation the integrator reports."""
        body = {"lookup": by(lookup), "contact": contact, "confirmed_at": at(day)}
        return self.done("customers/confirm/", body)

    def confirm_code(self, lookup: int | Mapping[str, Any], code: str, **contact: str) -> Outcome:
        return self.done("customers/confirm/", {"lookup": by(lookup), "contact": contact, "code": code})

    def confirm_token(self, token: str) -> Outcome:
        return self.done("customers/confirm/", {"token": token})

    def merge(
        self, *customers: int | Mapping[str, Any], resulting: int | Mapping[str, Any], **more: Any
    ) -> Outcome:
        body = {"customers": [by(c) for c in customers], "resulting": by(resulting), **more}
        return self.done("customers/merge/", body)

    def undo(self, merge_id: Any) -> Outcome:
        return self.done(f"merges/{merge_id}/undo/", {})

    def explain(self, one: int | Mapping[str, Any], other: int | Mapping[str, Any]) -> dict[str, Any]:
        answer = self.post("customers/explain/", {"customers": [by(one), by(other)]})
        if answer.status >= 400:
            raise RefusedError(answer)
        return dict(answer.body)

    def vetoes(self, one: int | Mapping[str, Any], other: int | Mapping[str, Any]) -> list[str]:
        return names_in(self.explain(one, other)["vetoes"], VETOES)

    def preview(self, **body: Any) -> dict[str, Any]:
        answer = self.post("customers/preview/", body)
        if answer.status >= 400:
            raise RefusedError(answer)
        return dict(answer.body)

    def batch(self, *records: Mapping[str, Any], operation: str = "upsert") -> list[dict[str, Any]]:
        body = {"operation": operation, "records": [record(**r) for r in records]}
        answer = self.post("customers/batch/", body)
        assert answer.status == 200, answer
        self.seen |= {r["maestra_id"] for r in answer.body["results"] if r.get("maestra_id")}
        return list(answer.body["results"])

    def finds(self, **identifier: Any) -> int | None:
        """The MaestraID a look-up finds, or nobody."""
        answer = self.post("customers/lookup/", identifier)
        if answer.status == 404 and answer.body["code"] == "customer_not_found":
            return None
        assert answer.status == 200, answer
        return int(answer.body["maestra_id"])


def by(lookup: int | Mapping[str, Any]) -> dict[str, Any]:
    return {"maestra_id": lookup} if isinstance(lookup, int) else dict(lookup)


class Project:
    """A project made by `configure`, and everything its customers' pages say."""

    def __init__(self, folder: Path, setup_yaml: str | None = None, **overrides: Any) -> None:
        self.folder = folder
        self.keys: dict[str, str] = {}
        self.seen: set[int] = set()
        self.points: dict[str, Api] = {}
        self.configure(setup_yaml, **overrides)

    def configure(self, setup_yaml: str | None = None, **overrides: Any) -> None:
        """Declare the project, or declare it again with other settings."""
        text = setup_yaml or json.dumps(setup(**overrides))  # which is YAML too
        source, keys = self.folder / "setup.yaml", self.folder / "keys.json"
        source.write_text(text)
        keys.unlink(missing_ok=True)
        call_command("configure", str(source), keys=str(keys))
        self.keys |= json.loads(keys.read_text()) if keys.exists() else {}

    def api(self, point: str) -> Api:
        if point not in self.points:
            self.points[point] = Api(self.keys[point], self.seen)
        return self.points[point]

    def __getattr__(self, point: str) -> Api:
        if point not in POINTS:
            raise AttributeError(point)
        return self.api(point)

    # --- reading, through a point that hides nothing ---

    def read(self, path: str, **query: Any) -> Any:
        answer = self.admin.get(path, **query)
        assert answer.status == 200, answer
        return answer.body

    def pages(self, path: str, **query: Any) -> list[Any]:
        """All items of a list, page after page."""
        body = self.read(path, **query)
        if isinstance(body, list):
            return body
        items = list(body["results"])
        while body.get("next"):
            url = urlsplit(body["next"])
            body = json.loads(self.admin.client.get(f"{url.path}?{url.query}").content)
            items += body["results"]
        return items

    def customer(self, maestra_id: int) -> dict[str, Any]:
        return dict(self.read(f"customers/{maestra_id}/"))

    def profile(self, maestra_id: int) -> dict[str, Any]:
        """What is known of a customer in short words, without times and empty fields."""
        return essence(self.customer(maestra_id))

    def history(self, maestra_id: int, *kinds: str) -> list[dict[str, Any]]:
        """The entries of these kinds, or all, what happened first before the others."""
        entries = self.pages(f"customers/{maestra_id}/history/")
        chosen = [entry for entry in entries if not kinds or entry["kind"] in kinds]
        return sorted(chosen, key=happened)

    def reasons(self, maestra_id: int) -> list[str]:
        """Why records joined, or customers merged, into this profile."""
        return [entry["reason"] for entry in self.history(maestra_id, "joined", "merged")]

    def related(self, maestra_id: int) -> set[int]:
        """The customers shown under Related customers."""
        return set(maestra_ids_in(self.read(f"customers/{maestra_id}/related/"))) - {maestra_id}

    def notes_about(self, maestra_id: int) -> list[int]:
        """The customers the notes of this one refer to."""
        return [note["related_maestra_id"] for note in self.customer(maestra_id)["notes"]]

    def listed(self, **query: Any) -> set[int]:
        return {customer["maestra_id"] for customer in self.pages("customers/", **query)}

    def everything(self) -> dict[str, Any]:
        """All that can be read of all customers seen: the snapshot that a failure may not change."""
        listed = self.pages("customers/")
        parts = ("", "history/", "orders/", "merges/")
        seen = sorted(self.seen | {customer["maestra_id"] for customer in listed})
        pages = {f"{n}/{part}": self.admin.get(f"customers/{n}/{part}") for n in seen for part in parts}
        return {"listed": sorted(listed, key=lambda customer: customer["maestra_id"]), **pages}

    @contextmanager
    def refuses(self, code: str) -> Iterator[Problem]:
        """Expects a refusal with this code and its status, and that nothing changed."""
        before = self.everything()
        problem = Problem()
        with pytest.raises(RefusedError) as refusal:
            yield problem
        problem.body = refusal.value.body
        assert (problem.body["code"], refusal.value.status) == (code, STATUS_OF_CODE[code]), problem.body
        assert self.everything() == before

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        before = self.everything()
        yield
        assert self.everything() == before

    # --- small stories that many tests begin with ---

    def two(
        self, first: Mapping[str, Any], second: Mapping[str, Any], point: str = "website"
    ) -> tuple[int, int]:
        """Two customers, registered on the days 1 and 2 if they do not say otherwise."""
        api = self.api(point)
        return api.register(**{"day": 1, **first}).id, api.register(**{"day": 2, **second}).id

    def match(self, one: int, other: int, key: str = "match") -> Outcome:
        """Let two stored customers meet: the one's session key is sent for the other, by an import.

        No contact is in question, no personal action is added, so the two are judged as they stand.
        """
        self.crm_import.edit(one, session_key=key)
        return self.crm_import.edit(other, session_key=key)


def maestra_ids_in(data: Any) -> Iterator[int]:
    if isinstance(data, list):
        for item in data:
            yield from maestra_ids_in(item)
    elif isinstance(data, dict):
        for key, value in data.items():
            if key in ("maestra_id", "related_maestra_id") and isinstance(value, int):
                yield value
            else:
                yield from maestra_ids_in(value)


FLAGS = {
    "is_primary": "primary",
    "is_confirmed": "confirmed",
    "is_pending": "pending",
    "gives_account_access": "access",
}


def held(contacts: Iterable[Mapping[str, Any]], flags: Iterable[str] = FLAGS) -> dict[str, str]:
    return {c["value"]: " ".join(FLAGS[flag] for flag in flags if c[flag]) for c in contacts}


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}


def essence(customer: Mapping[str, Any]) -> dict[str, Any]:
    """A customer's body in short words: contacts by value with their flags, subscriptions by key.

    Left out are times, empty fields, the profile's own MaestraID and the session key of `Project.match`.
    """
    facts, ids = customer["facts"], dict(customer["ids"])
    if ids.get("session_key"):
        ids["session_key"] = [key for key in ids["session_key"] if key != "match"]
    claims: dict[str, list[str]] = {}
    for claim in customer["claims"]:
        claims.setdefault(claim["type"], []).append(claim["value"])
    short = {
        "former": sorted(customer["former_maestra_ids"]),
        "ids": filled(ids),
        "former_ids": filled({kind: sorted(values) for kind, values in customer["former_ids"].items()}),
        "emails": held(customer["emails"]),
        "mobile_phones": held(customer["mobile_phones"]),
        "discount_cards": held(customer["discount_cards"], [flag for flag in FLAGS if flag != "is_primary"]),
        "claims": {kind: sorted(values) for kind, values in claims.items()},
        "devices": sorted(customer["devices"]),
        "mobile_devices": sorted(customer["mobile_devices"]),
        "personal": filled(customer["personal"]),
        "time_zone": customer["time_zone"],
        "custom_fields": filled(customer["custom_fields"]),
        "subscriptions": subscriptions(customer),
        "segments": {s["segmentation"]: s["segment"] for s in customer["segments"]},
        "orders": facts["orders_count"] or None,
        "points": float(facts["points_balance"]) or None,
        "promo_codes": facts["promo_codes_count"] or None,
        "notes": [note["related_maestra_id"] for note in customer["notes"]],
    }
    return filled(short)


def subscriptions(customer: Mapping[str, Any]) -> dict[str, str]:
    found = customer["subscriptions"]
    return {"/".join(filter(None, (s["channel"], s.get("topic")))): s["status"] for s in found}


def unsubscribed(profile: Mapping[str, Any], *keys: str) -> bool:
    """Whether these subscriptions are there, and none that is there lets anybody write."""
    found = profile["subscriptions"]
    return found.keys() >= set(keys) and set(found.values()) == {"unsubscribed"}


def primary(contacts: Iterable[Mapping[str, Any]]) -> list[str]:
    return [contact["value"] for contact in contacts if contact["is_primary"]]


def mentions(data: Any, *texts: str) -> bool:
    """Whether any of the texts occurs anywhere in the data."""
    dumped = json.dumps(data, ensure_ascii=False)
    return any(text in dumped for text in texts)


# --- messages to customers ---

sent_texts: list[tuple[str, str]] = []


def record_sms(phone: str, text: str) -> None:
    """The SMS sender of these tests."""
    sent_texts.append((phone, text))
