"""R54: after an erasure no table holds what only the person had, and everything of others is as it was."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import sleep
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.errors import ErrorCode, SelfsameError
from customers.history.reading import history
from customers.models import (
    Activity,
    Change,
    Customer,
    CustomerFacts,
    CustomField,
    Identifier,
    IdentifierKind,
    IntegrationPoint,
    Order,
    PointsMovement,
    ProjectSettings,
    PromoCode,
    Reveal,
    SavedFilter,
    SuppressedValue,
)
from customers.privacy import suppression
from customers.privacy.erasure import erase
from customers.privacy.export import export
from customers.profile import NOBODY, Category, Key, Profile
from customers.setup.integration_points import point_of
from customers.setup.project_config import project_config
from customers.storage.loading import load_profiles, primary_ids_of
from dedup.api import idempotency
from dedup.api.idempotency import Reply
from dedup.api.serialization import result_json
from dedup.engine.record import Operation
from dedup.imports.reports import examples_of, failed_file, report_rows
from dedup.models import (
    ApartPair,
    Confirmation,
    Event,
    FailedEvent,
    IdempotencyKey,
    Import,
    Merge,
    ReviewPair,
)
from dedup.operations import apart, lookups, merging, records
from dedup.operations.base import Caller, Result
from dedup.parsing.records import parse_record
from dedup.storage.integrity import faults
from segments.models import Recalculation, Segment, Segmentation
from tests.dedup.imports.importing import imported, sent, worked
from tests.dedup.imports.importing import outcomes as import_outcomes

pytestmark = pytest.mark.django_db

FIRST_DAY = datetime(2025, 3, 1, 10, tzinfo=UTC)
SET_UP = {
    "ApiKey",
    "BlockedValue",
    "CustomField",
    "ForgottenMonth",
    "FormerSegment",
    "IdentifierKind",
    "ImportMapping",
    "IntegrationPoint",
    "ProjectSettings",
    "SeenEvent",
    "Segment",
    "Segmentation",
    "Site",
}
ADA: dict[str, Any] = {
    "email": "ada.lovelace@example.com",
    "mobile_phone": "+14155550177",
    "discount_card": "ada-card-77",
    "ids": {"crm_id": "ada-crm-1", "session_key": "ada-session"},
    "device_id": "ada-browser",
    "mobile_device_id": "ada-handset",
    "personal": {
        "last_name": "Lovelace",
        "first_name": "Augusta",
        "middle_name": "Byronovna",
        "birth_date": "1915-12-10",
        "gender": "female",
    },
    "time_zone": "Europe/Belfast",
    "custom_fields": {"nickname": "Enchantress", "tags": ["countess", "analyst"]},
    "subscriptions": [{"channel": "email", "topic": "news", "status": "subscribed"}],
    "segments": [{"segmentation": "loyalty", "segment": "gold"}],
}
OF_ADA = (
    "ada.lovelace", "Ada.Lovelace", "14155550177", "555-0177", "ada-card-77", "ada-crm-1", "ada-crm-2",
    "ada-session", "ada-browser", "ada-handset", "ada-tablet", "Lovelace", "Augusta", "Byronovna",
    "1915-12-10", "Belfast", "Enchantress", "countess", "ada-young", "Gordon", "ada-poem", "ada-engine",
    "ada-gift", "ada-token", "ada-promo", "ada-points", "for the countess", "bens-old-laptop", "ada-office",
)  # fmt: skip


class Story:
    """A project whose customers do things, a day after the other, through the real operations."""

    def __init__(self) -> None:
        IdentifierKind.objects.create(system_name="crm_id", name="CRM ID", category="unique")
        IdentifierKind.objects.create(
            system_name="club_id", name="Club ID", category="unique", do_not_merge_different=True
        )
        IdentifierKind.objects.create(system_name="session_key", name="Session key", category="identifier")
        CustomField.objects.create(system_name="nickname", name="Nickname")
        CustomField.objects.create(system_name="tags", name="Tags", type="list")
        loyalty = Segmentation.objects.create(system_name="loyalty", name="Loyalty")
        Segment.objects.create(segmentation=loyalty, system_name="gold", name="Gold")
        self.points = {
            "website": IntegrationPoint(kind="website", must_be_confirmed=["email"]),
            "pos": IntegrationPoint(kind="point_of_sale", must_be_confirmed=["discount_card"]),
            "crm": IntegrationPoint(kind="crm", personal_actions=False),
        }
        for name, point in self.points.items():
            point.system_name = point.name = name
            point.save()
        self.day = 0

    def caller(self, point: str = "website") -> Caller:
        return Caller("key:1234", point_of(self.points[point]))

    def do(self, operation: str, *, point: str = "website", **data: Any) -> Result:
        self.day += 1
        at = FIRST_DAY + timedelta(days=self.day)
        if operation not in ("order", "points", "promo_code"):
            data.setdefault("occurred_at", at.isoformat())
        caller = self.caller(point)
        record = parse_record(
            Operation(operation), data, caller.point, project_config(), at + timedelta(days=400)
        )
        return records.submit_one(caller, record)

    def merge(self, *customers: int, into: int) -> Result:
        keys = [Key("maestra_id", str(customer)) for customer in customers]
        return merging.merge(self.caller(), keys, Key("maestra_id", str(into)))


@pytest.fixture
def story() -> Story:
    return Story()


def of(answer: Result) -> int:
    return answer.profile.maestra_id


def ada_everywhere(story: Story) -> dict[str, int]:
    """Ada in every table, and in what is told of others: by name, the MaestraIDs."""
    ben = of(story.do("register", email="ben@example.com", device_id="bens-old-laptop"))
    dan = of(story.do("register", discount_card="dan-card"))
    story.merge(dan, into=ben)  # the journal's images have the laptop, which will be Ada's
    young = of(
        story.do("register", email="ada-young@example.com", personal={"last_name": "Gordon"}, point="pos")
    )
    ada = of(
        story.do(
            "register", **{**ADA, "email": "Ada.Lovelace@EXAMPLE.com", "mobile_phone": "+1 415-555-0177"}
        )
    )
    keep_an_answer(story, ada)
    story.merge(young, into=ada)
    by_ada: dict[str, Any] = {"lookup": {"maestra_id": ada}}
    story.do("edit", **by_ada, device_id="ada-tablet", ids={"crm_id": "ada-crm-2", "session_key": None})
    story.do("edit", **by_ada, device_id="bens-old-laptop")
    story.do("edit", lookup={"email": "ben@example.com"}, mobile_phone="+14155550177", point="crm")
    story.do("edit", lookup={"email": "ben@example.com"}, ids={"session_key": "ben-session"})
    eve = of(story.do("register", email="eve@example.com", point="pos"))
    story.do("edit", lookup={"maestra_id": ada}, mobile_device_id="eves-phone")
    story.do("edit", lookup={"maestra_id": eve}, mobile_device_id="eves-phone")
    laptop = [{"type": "device_id", "value": "bens-old-laptop"}]
    ReviewPair.objects.create(low_id=ben, high_id=eve, shared=laptop)
    fay = {"email": "fay@example.com", "discount_card": "fays-card"}
    story.do("order", order={"number": "1000", "total": 1}, customer=fay, point="crm")
    story.do("edit", lookup={"maestra_id": ada}, discount_card="fays-card", point="pos")
    for club_id in ("club-1", "club-2"):
        story.do("edit", **by_ada, ids={"club_id": club_id})
    story.do("edit", lookup={"maestra_id": eve}, ids={"club_id": "club-1"})
    parted(story, ada)
    spend(story, ada)
    leave_events(story, ada)
    import_rows(story, ada)
    look_at(ada)
    return {"ada": ada, "young": young, "ben": ben, "dan": dan, "eve": eve}


def look_at(ada: int) -> None:
    """What staff leave behind: that they looked, a list they keep, a recalculation they asked for."""
    officer = User.objects.create_user("officer")
    Reveal.objects.create(user=officer, user_name="officer", kind="export", maestra_id=ada)
    SavedFilter.objects.create(user=officer, name="Ours", query="shown=all")
    Recalculation.objects.create(segmentation=Segmentation.objects.latest("pk"), actor="user:officer")


def parted(story: Story, ada: int) -> None:
    """Carl has no name: merged with Ada he gets hers, and an undo takes it from him again."""
    carl = of(story.do("register", ids={"crm_id": "carl-1"}, point="crm"))
    known = {name: ADA[name] for name in ("personal", "custom_fields", "time_zone")}
    friend = of(story.do("register", email="ada-office@example.com", **known))
    merged = story.merge(friend, into=carl)
    merging.undo(story.caller(), merged.merge_ids[0])
    apart.lift_apart(story.caller(), carl, friend)
    story.merge(friend, into=ada)


def import_rows(story: Story, ada: int) -> None:
    """Files that name her: one that was tried, and one that waits."""
    header = ("CrmID", "Email", "FirstName", "maestra_id", "Card")
    rows = [
        ("", "Ada.Lovelace@EXAMPLE.com", "Augusta", "", ""),
        ("", "ben@example.com", "Ben", "", ""),
        ("", "", "Augusta", str(ada), ""),
        ("", "ada-young@example.com", "Gordon", "", "x" * 300),
    ]
    imported(point_of(story.points["crm"]), rows, header, is_dry_run=True)
    sent(point_of(story.points["crm"]), rows, header)


def spend(story: Story, ada: int) -> None:
    lookup = {"maestra_id": ada}
    lines = [
        {
            "sku": "ring",
            "price": "99.00",
            "quantity": 1,
            "engraving": "for the countess",
            "gift": {"to": "ada-gift"},
        }
    ]
    order = {"number": "1001", "total": "99.00", "currency": "EUR", "status": "paid", "lines": lines}
    story.do("order", order=order, customer={"ids": lookup, "payment_card_hash": "5f3e9a71ada0" * 4})
    story.do("points", lookup=lookup, amount=5, reason="ada-poem", number="ada-points")
    story.do("promo_code", lookup=lookup, code="ada-promo")
    device = Identifier.objects.get(value="ada-browser")
    Activity.objects.create(
        uuid=uuid.uuid4(),
        maestra_id=ada,
        kind="view",
        occurred_at=FIRST_DAY,
        device_id=device.pk,
        url="https://shop.example/?who=ada-engine",
        title="Hello Augusta",
        properties={"token": "ada-token"},
    )


def leave_events(story: Story, ada: int) -> None:
    """What she did waits; what failed is hers, was done on her device, or names her on somebody else's."""
    event: dict[str, Any] = {
        "point_id": story.points["website"].pk,
        "kind": "view",
        "occurred_at": FIRST_DAY,
        "url": "https://shop.example/?who=ada-engine",
        "lane": 0,
    }
    browsers = IdentifierKind.objects.get(system_name="device_id")
    device: dict[str, Any] = {"device_kind": browsers.pk, "device": "ada-browser"}
    named = {"record": {"email": "Ada.Lovelace@Example.com"}, "named": ["ada.lovelace@example.com"]}
    Event.objects.create(uuid=uuid.uuid4(), **event, **device)
    failure = {"code": "permission_denied", "reason": "Somebody is a customer already."}
    strangers = {**device, "device": "a-stranger", **named}
    for number, whose in enumerate([device, {"maestra_id": ada}, strangers]):
        FailedEvent.objects.create(id=number, uuid=uuid.uuid4(), **event, **whose, **failure)


def keep_an_answer(story: Story, ada: int) -> None:
    answer = lookups.lookup(story.caller(), Key("maestra_id", str(ada)))
    idempotency.once("key 1", "first", {"a": 1}, lambda: Reply(200, result_json(answer, project_config())))


def people_tables() -> Iterator[str]:
    for label in ("customers", "segments", "dedup"):
        for model in apps.get_app_config(label).get_models():
            if model.__name__ not in SET_UP:
                yield model._meta.db_table


def rows(sql: str, *parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[Any] = cursor.fetchall()
    return found


TEXT_OF = 'SELECT to_jsonb(t)::text FROM "{}" t'


def dump() -> dict[str, str]:
    """Every row of every table, as text."""
    tables = connection.introspection.table_names()
    return {table: "\n".join(text for (text,) in rows(TEXT_OF.format(table))) for table in tables}


def found_in(tables: dict[str, str]) -> dict[str, list[str]]:
    """The values of Ada by the tables that have them."""
    found = {table: [v for v in OF_ADA if v.lower() in text.lower()] for table, text in tables.items()}
    return {table: values for table, values in found.items() if values}


def refused(work: Callable[[], Any]) -> SelfsameError:
    with pytest.raises(SelfsameError) as caught:
        work()
    return caught.value


def erased(maestra_id: int) -> None:
    erase(maestra_id, actor="user:officer")


def state_of(maestra_id: int) -> Profile:
    primary_id = primary_ids_of([maestra_id])[maestra_id]
    return load_profiles([primary_id])[primary_id]


def sentences(maestra_id: int) -> list[str]:
    page = history(state_of(maestra_id).maestra_ids, labels=project_config().labels, limit=500)
    return [item["sentence"] for item in page.items]


def test_after_an_erasure_no_table_holds_what_only_the_person_had(story: Story) -> None:
    """R54"""
    who = ada_everywhere(story)
    (card,) = state_of(who["ada"]).cards
    full = {table for table in people_tables() if rows(f"SELECT FROM {table} LIMIT 1")}
    assert set(people_tables()) - full == {"customers_suppressedvalue"}
    before = dump()
    assert {value for values in found_in(before).values() for value in values} == set(OF_ADA)
    erased(who["young"])
    after = dump()
    assert found_in(after) == {}
    assert faults() == []
    assert [table for table, text in after.items() if card in text] == []


def test_an_erasure_takes_the_rows_of_files_that_named_the_person(story: Story) -> None:
    """R54"""
    who = ada_everywhere(story)
    dry, waiting = Import.objects.order_by("pk")
    assert examples_of(dry)
    erased(who["ada"])
    left = [row.cells and row.cells[2] for row in report_rows(dry, with_cells=True)]
    assert left == [None, "Ben", None, None]
    assert (examples_of(dry), "".join(failed_file(dry)).count("\n")) == ({}, 1)
    assert waiting.blocks.exists()
    waiting = worked(waiting)
    assert import_outcomes(waiting) == ["erased_person", "joined", "erased_person", "erased_person"]
    assert found_in(dump()) == {}
    assert faults() == []


def test_an_erasure_leaves_everybody_else_as_they_were(story: Story) -> None:
    """R54"""
    who = ada_everywhere(story)
    others = [
        m for m in Customer.objects.values_list("pk", flat=True) if m not in state_of(who["ada"]).maestra_ids
    ]
    before = {m: state_of(m) for m in others}
    erased(who["ada"])
    unnoted = {m: replace(profile, notes=()) for m, profile in before.items()}
    assert {m: state_of(m) for m in others} == unnoted
    assert [len(profile.notes) for profile in before.values() if profile.notes] == [1, 1]
    assert state_of(who["eve"]).held(Category.MOBILE_DEVICE)[0].value == "eves-phone"


def test_histories_of_others_lose_the_person_and_keep_the_rest(story: Story) -> None:
    """R54"""
    who = ada_everywhere(story)
    said, ada = sentences(who["ben"]), who["ada"]
    erased(ada)
    left = sentences(who["ben"])
    because = (
        f"because the last activity of customer {ada} is more recent, or, where neither was ever active, the "
        "registration"
    )
    stays = f"Mobile phone +14155550177 stays with customer {ada}, {because}."
    assert [sentence for sentence in said if sentence not in left] == [
        f"Note: {stays}",
        stays,
        f"Device bens-old-laptop went to customer {ada}.",
        "Device bens-old-laptop was added.",
    ]
    assert left == [
        "Session key ben-session was added.",
        f"Customer {who['dan']} was merged into this one, because somebody asked for it by API.",
        "Discount card dan-card was added.",
        "The customer was created.",
        "E-mail ben@example.com was added; awaits confirmation.",
        "The customer was created.",
    ]
    assert sentences(who["eve"]) == [
        "Club ID club-1 was added.",
        "Mobile device eves-phone was added.",
        "E-mail eve@example.com was added.",
        "The customer was created.",
    ]


def test_what_another_holds_or_claims_remains_as_his(story: Story) -> None:
    """R54"""
    ada = of(story.do("order", order={"number": "1", "total": 1}, customer={"discount_card": "shared-card"}))
    story.do("edit", lookup={"maestra_id": ada}, email="ada@example.com", ids={"crm_id": "1"})
    gil = of(story.do("register", email="gil@example.com", discount_card="shared-card", point="pos"))
    claim, email = Key("discount_card", "shared-card"), Key("email", "ada@example.com")
    assert set(state_of(gil).claims) == {claim}
    erased(ada)
    profile = state_of(gil)
    assert (set(profile.claims), set(profile.holdings)) == ({claim}, {Key("email", "gil@example.com")})
    assert suppression.find_suppressed([claim, email]).keys() == {email}
    story.do("edit", lookup={"maestra_id": gil}, discount_card="shared-card")
    assert claim in state_of(gil).holdings


def test_an_erased_person_is_not_found_by_anything(story: Story) -> None:
    """R54"""
    who = ada_everywhere(story)
    profile = state_of(who["ada"])
    erased(who["ada"])
    of_eve = state_of(who["eve"]).holdings.keys()
    keys = [*profile.holdings.keys() - of_eve, *(Key("maestra_id", str(m)) for m in profile.maestra_ids)]
    codes = {refused(partial(lookups.lookup, story.caller(), key)).code for key in keys}
    assert codes == {ErrorCode.CUSTOMER_NOT_FOUND}
    for maestra_id in profile.maestra_ids:
        assert refused(partial(erased, maestra_id)).code is ErrorCode.CUSTOMER_NOT_FOUND
        assert refused(partial(export, maestra_id)).code is ErrorCode.CUSTOMER_NOT_FOUND


def test_the_merges_of_an_erased_person_cannot_be_undone(story: Story) -> None:
    """R54, R46"""
    who = ada_everywhere(story)
    merge = Merge.objects.get(absorbed_id=who["young"], undone_at=None)
    erased(who["ada"])
    error = refused(lambda: merging.undo(story.caller(), merge.pk))
    assert (error.code, error.data) == (ErrorCode.MERGE_BLOCKED, {"reasons": ["erased"]})
    merge.refresh_from_db()
    assert (merge.reason, merge.matched, merge.result) == ("api", [], {})


def test_pairs_and_confirmations_of_an_erased_person_are_gone(story: Story) -> None:
    """R54"""
    who = ada_everywhere(story)
    ids, ben = state_of(who["ada"]).maestra_ids, state_of(who["ben"]).maestra_ids
    assert Confirmation.objects.filter(maestra_id__in=ids).exists()
    apart.keep_apart(story.caller(), who["ada"], who["ben"])
    apart.keep_apart(story.caller(), who["eve"], who["ben"])
    erased(who["ada"])
    assert set(Confirmation.objects.values_list("maestra_id", flat=True)) <= ben
    assert list(ApartPair.objects.values_list("low_id", "high_id")) == [(who["ben"], who["eve"])]
    assert list(ReviewPair.objects.all()) == []


def test_an_undo_of_others_does_not_bring_back_what_was_erased(story: Story) -> None:
    """R54, R46"""
    who = ada_everywhere(story)
    merge = Merge.objects.get(absorbed_id=who["dan"], undone_at=None)
    erased(who["ada"])
    merging.undo(story.caller(), merge.pk)
    profiles = state_of(who["ben"]), state_of(who["dan"])
    assert [(sorted(p.holdings), p.notes) for p in profiles] == [
        ([Key("email", "ben@example.com"), Key("session_key", "ben-session")], ()),
        ([Key("discount_card", "dan-card")], ()),
    ]
    assert found_in(dump()) == {}


def test_orders_and_amounts_stay_without_a_person(story: Story) -> None:
    """R54"""
    who = ada_everywhere(story)
    erased(who["ada"])
    order = Order.objects.get(number="1001")
    facts = CustomerFacts.objects.get(pk=order.maestra_id)
    points, code = PointsMovement.objects.get(), PromoCode.objects.get()
    view = Activity.objects.values("kind", "device_id", "url", "title", "properties").get()
    assert (f"{order.total} {order.currency}", order.status) == ("99.00 EUR", "paid")
    assert order.lines == [{"sku": "ring", "price": "99.00", "quantity": 1}]
    assert (facts.orders_count, f"{facts.orders_total}") == (1, "99.00")
    assert (f"{facts.points_balance}", facts.promo_codes_count) == ("5.00", 1)
    assert (f"{points.amount}", points.number, points.reason) == ("5.00", None, "")
    assert code.code == f" erased {code.pk}"
    assert view == {"kind": "view", "device_id": None, "url": "", "title": "", "properties": {}}


def test_an_erasure_is_itself_recorded_without_personal_data(story: Story) -> None:
    """R54"""
    ada = of(story.do("register", **ADA))
    erased(ada)
    change = Change.objects.exclude(data=[]).select_related("operation").get(maestra_id=ada)
    assert (change.data, change.operation.kind, change.operation.actor) == (
        [{"kind": "erased"}],
        "erase",
        "user:officer",
    )


def test_an_erased_person_returns_by_an_action_of_their_own_and_not_by_a_file(story: Story) -> None:
    """R54"""
    ada = of(story.do("register", **ADA))
    erased(ada)
    file = partial(story.do, "upsert", point="crm", email=ADA["email"], ids={"crm_id": "new"})
    assert refused(file).code is ErrorCode.ERASED_PERSON
    SuppressedValue.objects.update(at=FIRST_DAY)  # before the story goes on
    back = story.do("upsert", email=ADA["email"])
    assert (back.outcome.status.value, back.profile.personal) == ("created", NOBODY)
    assert of(file()) == of(back)


def test_without_a_suppression_list_nothing_is_remembered(story: Story) -> None:
    """R54"""
    ProjectSettings.objects.update(suppression_list=False)
    ada = of(story.do("register", **ADA))
    erased(ada)
    assert SuppressedValue.objects.count() == 0
    assert story.do("upsert", point="crm", email=ADA["email"]).outcome.status.value == "created"


def test_a_repeated_request_gets_no_erased_answer_and_is_not_acted_upon(story: Story) -> None:
    """R54"""
    who = ada_everywhere(story)
    erased(who["ada"])
    again = partial(idempotency.once, "key 1", "first", {"a": 1}, lambda: Reply(200, {}))
    assert refused(again).code is ErrorCode.ERASED_PERSON
    assert IdempotencyKey.objects.get().maestra_ids == []


def test_an_erasure_takes_the_same_number_of_statements_whatever_there_is(story: Story) -> None:
    """R54"""
    poor = of(story.do("register", email="poor@example.com"))
    who = ada_everywhere(story)
    assert counted(lambda: erased(poor)) == counted(lambda: erased(who["ada"]))


def counted(work: Callable[[], None]) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


@pytest.mark.django_db(transaction=True)
def test_a_customer_merged_meanwhile_is_erased_with_the_whole_profile(story: Story) -> None:
    """R54"""
    ada = of(story.do("register", email="ada@example.com"))
    young = of(story.do("register", discount_card="young-card"))
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            story.merge(young, into=ada)
            erasing = pool.submit(elsewhere, partial(erased, young))
            wait_for_a_lock()
        erasing.result(timeout=60)
    assert primary_ids_of([ada, young]) == {}
    assert Identifier.objects.exclude(raw="").count() == 0


def elsewhere(work: Callable[[], None]) -> None:
    """In another thread, so on another connection."""
    try:
        work()
    finally:
        connection.close()


def wait_for_a_lock() -> None:
    """Until another connection waits for what this one holds."""
    waiting = "SELECT 1 FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    for _attempt in range(3000):
        if rows(waiting):
            return
        sleep(0.02)
    raise TimeoutError
