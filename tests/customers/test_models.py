"""The database refuses whatever the engine relies on never to meet, no matter who writes it."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from customers.models import BlockedValue

pytestmark = pytest.mark.django_db

NOW = "2026-01-05 10:00+00"
EMAIL, PHONE, CARD, DEVICE = 1, 2, 3, 4


def sql(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def insert(table: str, **row: Any) -> int:
    columns, values = ", ".join(row), ", ".join(["%s"] * len(row))
    inserted = sql(f"INSERT INTO {table} ({columns}) VALUES ({values}) RETURNING id", *row.values())
    return int(inserted[0][0])


def customer(maestra_id: int, primary_id: int | None = None, **more: Any) -> int:
    row = {"id": maestra_id, "profile_id": primary_id or maestra_id, "registered_at": NOW, **more}
    return insert("customers_customer", **row)


def identifier(kind: int, value: str, holder: int | None, **more: Any) -> int:
    held = {"customer_id": holder, "origin_id": holder, "since": NOW} if holder else {}
    return insert("customers_identifier", **{"kind_id": kind, "value": value, "raw": value, **held, **more})


def kind(system_name: str, category: str = "unique", **more: Any) -> int:
    return insert(
        "customers_identifierkind", system_name=system_name, name=system_name, category=category, **more
    )


def committed() -> None:
    """What would happen at commit, now."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")


def committing(statement: str) -> None:
    with transaction.atomic():
        sql(statement)
        committed()


def refusal(statement: str) -> str:
    """The name of the constraint that refuses a statement, at once or at commit, else the message."""
    with pytest.raises(DatabaseError) as refused:
        committing(statement)
    named = re.search(r'constraint "(\w+)"', str(refused.value))
    return named.group(1) if named else str(refused.value).partition("\n")[0]


def test_a_value_has_one_row_and_so_one_holder():
    """R4–R9"""
    customer(1)
    customer(2)
    identifier(EMAIL, "ann@example.com", 1)
    committed()

    again = f"""
        INSERT INTO customers_identifier (kind_id, value, raw, customer_id, origin_id, since)
        VALUES (1, 'ann@example.com', 'Ann@Example.com', 2, 2, '{NOW}')
    """
    assert refusal(again) == "identifier_one_row_per_value"


def test_values_that_differ_in_case_are_two():
    """R11: identifiers are case-sensitive; e-mails come normalised."""
    crm_id = kind("crm_id")
    customer(1)
    customer(2)
    identifier(crm_id, "a7", 1, is_unique_kind=True)
    identifier(crm_id, "A7", 2, is_unique_kind=True)
    committed()


def test_a_type_has_one_primary():
    """R7"""
    customer(1)
    identifier(PHONE, "+14155550122", 1, is_primary=True)
    identifier(PHONE, "+14155550123", 1)
    committed()

    assert refusal("UPDATE customers_identifier SET is_primary = true") == "identifier_one_primary"


def test_two_primaries_may_meet_in_the_middle_of_a_merge():
    """R36: what counts is the commit."""
    customer(1)
    customer(2)
    identifier(PHONE, "+14155550122", 1, is_primary=True)
    identifier(PHONE, "+14155550123", 2, is_primary=True)
    committed()

    sql("UPDATE customers_customer SET profile_id = 1 WHERE id = 2")
    sql("UPDATE customers_identifier SET customer_id = 1")
    sql("UPDATE customers_identifier SET is_primary = false WHERE origin_id = 2")
    committed()


def test_a_unique_kind_has_one_current_value_and_many_former_ones():
    """R2"""
    crm_id = kind("crm_id")
    customer(1)
    identifier(crm_id, "103", 1, is_unique_kind=True)
    identifier(crm_id, "301", 1, is_unique_kind=True, is_former=True, retired_at=NOW)
    identifier(crm_id, "302", 1, is_unique_kind=True, is_former=True, retired_at=NOW)
    committed()

    brought_back = "UPDATE customers_identifier SET is_former = false, retired_at = NULL WHERE value = '301'"
    assert refusal(brought_back) == "identifier_one_current"


def test_a_customer_may_hold_several_of_a_non_unique_kind():
    """R4"""
    session_key = kind("session_key", "identifier")
    customer(1)
    identifier(session_key, "x", 1)
    identifier(session_key, "y", 1)
    committed()


def test_the_copy_of_whether_a_kind_is_unique_cannot_be_wrong():
    crm_id = kind("crm_id")
    customer(1)
    identifier(crm_id, "103", 1, is_unique_kind=True)
    committed()

    assert refusal("UPDATE customers_identifier SET is_unique_kind = false") == "identifier_kind"
    assert refusal("UPDATE customers_identifierkind SET category = 'identifier' WHERE id >= 100") == (
        "identifier_kind"
    )


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("customer_id = NULL, origin_id = NULL", "identifier_held_or_free"),
        ("origin_id = NULL", "identifier_held_or_free"),
        ("since = NULL", "identifier_held_or_free"),
        ("is_former = true, is_primary = false", "identifier_only_unique_ones_retire"),
        ("value = ''", "identifier_value_not_empty"),
        ("kind_id = 3", "identifier_primary"),
        ("kind_id = 4, is_primary = false", "identifier_only_contacts_have_flags"),
        ("at_head = false", "identifier_at_head"),
        ("customer_id = 99", "identifier_of_head"),
        ("kind_id = 99, is_primary = false, gives_access = false", "identifier_kind"),
    ],
)
def test_an_identifier_row_makes_sense(change, constraint):
    customer(1)
    identifier(EMAIL, "ann@example.com", 1, is_primary=True, gives_access=True)
    committed()

    assert refusal(f"UPDATE customers_identifier SET {change}") == constraint


def test_a_value_that_nobody_holds_has_no_flags():
    """The next customer to hold it starts with none (R45)."""
    customer(1)
    identifier(EMAIL, "ann@example.com", 1, is_primary=True, confirmed_at=NOW)
    freed = "UPDATE customers_identifier SET customer_id = NULL, origin_id = NULL, is_primary = false"

    assert refusal(freed) == "identifier_held_or_free"
    sql(f"{freed}, confirmed_at = NULL")
    committed()


def test_pointers_lead_straight_to_a_primary_maestra_id():
    """R1"""
    for maestra_id in (1, 2, 3):
        customer(maestra_id)
    sql("UPDATE customers_customer SET profile_id = 1 WHERE id = 2")
    committed()

    assert refusal("UPDATE customers_customer SET profile_id = 2 WHERE id = 3") == "customer_flat"
    assert refusal("UPDATE customers_customer SET profile_id = 3 WHERE id = 1") == "customer_flat"
    assert refusal("UPDATE customers_customer SET points_at_head = false") == "customer_points_at_head"
    assert sql("SELECT id, is_head FROM customers_customer ORDER BY id") == [(1, True), (2, False), (3, True)]


def test_a_merge_of_a_merged_profile_is_flat_when_every_pointer_moves():
    for maestra_id in (1, 2, 3):
        customer(maestra_id)
    sql("UPDATE customers_customer SET profile_id = 2 WHERE id = 3")
    sql("UPDATE customers_customer SET profile_id = 1 WHERE id IN (2, 3)")
    committed()


@pytest.mark.parametrize("table", ["identifier", "claim", "paymentcard"])
def test_nothing_of_a_profile_stays_behind_with_a_former_maestra_id(table):
    customer(1)
    customer(2)
    email = identifier(EMAIL, "ann@example.com", 1)
    held = {"customer_id": 2, "origin_id": 2, "since": NOW}
    match table:
        case "identifier":
            identifier(PHONE, "+14155550122", 2)
        case "claim":
            insert("customers_claim", identifier_id=email, **held)
        case _:
            insert("customers_paymentcard", hash="h", **held)
    committed()

    assert refusal("UPDATE customers_customer SET profile_id = 1 WHERE id = 2") == f"{table}_of_head"


def test_a_customer_is_never_deleted_while_anything_refers_to_it():
    customer(1)
    identifier(EMAIL, "ann@example.com", 1)
    committed()

    assert refusal("DELETE FROM customers_customer") == "identifier_of_head"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("last_name = ''", "customer_unknown_is_null"),
        ("time_zone = ''", "customer_unknown_is_null"),
        ("gender = 'f'", "customer_gender"),
    ],
)
def test_what_is_unknown_is_null(change, constraint):
    customer(1)
    assert refusal(f"UPDATE customers_customer SET {change}") == constraint


def test_a_contact_is_claimed_once_under_a_maestra_id():
    customer(1)
    email = identifier(EMAIL, "ann@example.com", None)
    claim = {"identifier_id": email, "customer_id": 1, "origin_id": 1, "since": NOW}
    insert("customers_claim", **claim)

    again = (
        "INSERT INTO customers_claim (identifier_id, customer_id, origin_id, since)"
        " SELECT identifier_id, 1, 1, since FROM customers_claim"
    )
    assert refusal(again) == "claim_once_per_origin"


def test_several_customers_may_have_the_same_payment_card():
    """R10"""
    for maestra_id in (1, 2):
        customer(maestra_id)
        insert("customers_paymentcard", hash="h", customer_id=maestra_id, origin_id=maestra_id, since=NOW)
    committed()


def test_a_subscription_has_one_status_and_no_topic_is_a_key_of_its_own():
    """R37"""
    customer(1)
    row = {"customer_id": 1, "channel": "email", "status": "subscribed", "since": NOW}
    insert("customers_subscription", **row)
    insert("customers_subscription", **row, topic="news")

    again = (
        "INSERT INTO customers_subscription (customer_id, channel, status, since)"
        " VALUES (1, 'email', 'unsubscribed', now())"
    )
    assert refusal(again) == "subscription_key"
    assert refusal("UPDATE customers_subscription SET channel = 'fax'") == "subscription_channel"
    assert refusal("UPDATE customers_subscription SET status = 'maybe'") == "subscription_status"


def history() -> int:
    operation = insert("customers_operation", kind="register", actor="system")
    entries = '[{"kind": "created"}, {"kind": "email", "value": "ann@example.com", "is_primary": true}]'
    return insert("customers_change", operation_id=operation, maestra_id=1, at=NOW, data=entries)


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM customers_change",
        "UPDATE customers_change SET maestra_id = 2, erased_at = now()",
        "UPDATE customers_change SET at = now(), erased_at = now()",
        "UPDATE customers_change SET data = '[]'",
        """UPDATE customers_change SET erased_at = now(), data = '[{"kind": "merged"}]'""",
        """UPDATE customers_change SET erased_at = now(), data = '[{"kind": "email", "value": "x"}]'""",
    ],
)
def test_history_can_be_neither_edited_nor_deleted(edit):
    """R40"""
    history()
    assert refusal(edit) == "The change history is append-only"


@pytest.mark.parametrize("left", ["[]", '[{"kind": "created"}, {"kind": "email", "is_primary": true}]'])
def test_an_erasure_takes_out_of_the_history_and_puts_nothing_in(left):
    """R54"""
    history()
    sql("UPDATE customers_change SET erased_at = now(), data = %s", left)
    assert sql("SELECT data = %s::jsonb FROM customers_change", left) == [(True,)]


def test_entries_of_the_history_are_a_list():
    history()
    single = (
        "INSERT INTO customers_change (operation_id, maestra_id, at, data)"
        " SELECT operation_id, 1, at, '{}' FROM customers_change"
    )
    assert refusal(single) == "change_is_a_list"


@pytest.mark.parametrize(
    "edit", ["DELETE FROM customers_operation", "UPDATE customers_operation SET actor = 'user:x'"]
)
def test_operations_can_be_neither_edited_nor_deleted(edit):
    insert("customers_operation", kind="register", actor="system")
    assert refusal(edit) == "Operations are append-only"


def test_an_operation_is_given_its_place_in_the_feed_once():
    insert("customers_operation", kind="register", actor="system")
    sql("UPDATE customers_operation SET position = 1")
    assert refusal("UPDATE customers_operation SET position = 2") == "Operations are append-only"


def test_an_operation_knows_its_transaction():
    insert("customers_operation", kind="register", actor="system")
    assert sql("SELECT xid = pg_current_xact_id() FROM customers_operation") == [(True,)]


def test_a_project_defines_kinds_beside_the_systems_own():
    assert kind("crm_id") >= 100
    new = "INSERT INTO customers_identifierkind (system_name, name, category)"
    assert refusal(f"{new} VALUES ('e', 'E', 'email')") == "identifierkind_category"
    assert refusal(f"{new} VALUES ('maestra_id', 'M', 'unique')") == "identifierkind_name_not_reserved"
    assert refusal("UPDATE customers_identifierkind SET do_not_merge_different = true WHERE id = 1") == (
        "identifierkind_only_unique_ones_forbid_merges"
    )


@pytest.mark.parametrize("table", ["identifierkind", "customfield", "integrationpoint"])
def test_a_system_name_never_changes(table):
    kind("crm_id")
    insert("customers_customfield", system_name="size", name="Size")
    sql(
        "INSERT INTO customers_integrationpoint"
        " (system_name, name, kind, personal_actions, lookup_by, default_scopes)"
        " VALUES ('website', 'Website', 'website', true, '{}', '{}')"
    )
    newest = f"SELECT max(id) FROM customers_{table}"
    edit = f"UPDATE customers_{table} SET system_name = 'other' WHERE id = ({newest})"
    assert refusal(edit) == "A system name can never be changed"


def test_the_set_up_gets_a_new_version_with_every_change():
    def version() -> int:
        return int(sql("SELECT version FROM customers_projectsettings")[0][0])

    versions = [version()]
    for change in (
        "UPDATE customers_projectsettings SET default_region = 'DE'",
        "INSERT INTO customers_customfield (system_name, name) VALUES ('size', 'Size')",
        "UPDATE customers_customfield SET name = 'Shoe size'",
        "DELETE FROM customers_customfield",
        "UPDATE customers_identifierkind SET name = 'Mail' WHERE id = 1",
        "DELETE FROM customers_blockedvalue",
    ):
        sql(change)
        versions.append(version())

    assert versions == sorted(set(versions))


def test_a_version_that_was_rolled_back_is_not_given_again():
    with transaction.atomic():
        sql("UPDATE customers_projectsettings SET default_region = 'DE'")
        lost = sql("SELECT version FROM customers_projectsettings")
        transaction.set_rollback(True)
    sql("UPDATE customers_projectsettings SET default_region = 'FR'")
    assert sql("SELECT version FROM customers_projectsettings") > lost


def test_what_is_shipped_comes_back_when_tables_are_emptied():
    """R12"""
    shipped = sql("SELECT count(*) FROM customers_blockedvalue")
    sql(
        "TRUNCATE customers_projectsettings, customers_identifierkind, customers_blockedvalue,"
        " customers_identifier, customers_formeridentifier, customers_claim, customers_deviceuse,"
        " dedup_confirmation"
    )
    assert sql("SELECT id, system_name, category FROM customers_identifierkind ORDER BY id") == [
        (1, "email", "email"),
        (2, "mobile_phone", "mobile_phone"),
        (3, "discount_card", "discount_card"),
        (4, "device_id", "device"),
        (5, "mobile_device_id", "mobile_device"),
    ]
    assert sql("SELECT id, default_region, shared_device_limit FROM customers_projectsettings") == [
        (1, "US", 5)
    ]
    assert sql("SELECT count(*) FROM customers_blockedvalue") == shipped != [(0,)]


def test_there_is_one_row_of_settings():
    assert refusal("INSERT INTO customers_projectsettings (id) VALUES (2)") == "projectsettings_one_row"


@pytest.mark.parametrize(("value", "pattern"), [("", ""), ("a", "a")])
def test_a_blocked_value_is_a_value_or_a_pattern(value, pattern):
    """R12"""
    assert refusal(
        f"INSERT INTO customers_blockedvalue (value, pattern) VALUES ('{value}', '{pattern}')"
    ) == ("blockedvalue_value_or_pattern")


def test_a_pattern_that_could_take_too_long_is_refused_by_forms():
    with pytest.raises(ValidationError):
        BlockedValue(type="email", pattern="(a+)+$").full_clean()


def activity(occurred_at: str) -> None:
    sql(
        "INSERT INTO customers_activity (uuid, maestra_id, kind, occurred_at)"
        " VALUES ('00000000-0000-4000-8000-000000000001', 1, 'page_view', %s)",
        occurred_at,
    )


def test_activity_of_any_time_has_a_place_and_months_bring_it_home():
    activity("2019-03-31 23:59+00")
    activity("2019-04-01 00:00+00")
    assert sql("SELECT DISTINCT tableoid::regclass::text FROM customers_activity") == [
        ("customers_activity_default",)
    ]
    assert sql("SELECT customers_activity_months('2019-03-15', '2019-04-01')") == [(2,)]
    assert sql("SELECT customers_activity_months('2019-03-15', '2019-04-01')") == [(0,)]
    assert sql("SELECT tableoid::regclass::text FROM customers_activity ORDER BY occurred_at") == [
        ("customers_activity_2019_03",),
        ("customers_activity_2019_04",),
    ]


def test_the_months_to_come_are_made_by_a_command():
    out = StringIO()
    call_command("activity_months", days=400, stdout=out)
    call_command("activity_months", days=400, stdout=out)
    first, second = out.getvalue().splitlines()
    assert first != second == "0 months made."


def test_an_event_arrives_once():
    activity(NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        activity(NOW)


def test_a_customer_is_in_one_segment_of_a_segmentation_and_in_one_of_its_own():
    """R51"""
    customer(1)
    loyalty = insert("segments_segmentation", system_name="loyalty", name="Loyalty")
    region = insert("segments_segmentation", system_name="region", name="Region")
    silver, gold = (
        insert("segments_segment", segmentation_id=loyalty, system_name=name, name=name)
        for name in ("silver", "gold")
    )
    insert("segments_membership", customer_id=1, segmentation_id=loyalty, segment_id=silver, since=NOW)
    committed()

    second = (
        "INSERT INTO segments_membership (customer_id, segmentation_id, segment_id, since)"
        f" VALUES (1, {loyalty}, {gold}, now())"
    )
    assert refusal(second) == "membership_one_segment"
    elsewhere = f"UPDATE segments_membership SET segmentation_id = {region}"
    assert refusal(elsewhere) == "membership_segment_of_segmentation"
    assert refusal("UPDATE segments_segment SET system_name = system_name || '2'") == (
        "A system name can never be changed"
    )


def merge(**more: Any) -> int:
    operation = insert("customers_operation", kind="merge", actor="system")
    images = dict.fromkeys(("before_survivor", "before_absorbed", "result"), "{}")
    ids = {"survivor_id": 1, "absorbed_id": 2, "absorbed_ids": [2]}
    return insert("dedup_merge", operation_id=operation, reason="api", **images, **ids, **more)


def test_a_customer_is_merged_away_once_until_it_is_undone():
    """R46"""
    merge()
    with pytest.raises(DatabaseError, match="merge_absorbed_once"), transaction.atomic():
        merge()
    assert refusal("UPDATE dedup_merge SET undone_at = now()") == "merge_undone_by_an_operation"
    sql("UPDATE dedup_merge SET undone_at = now(), undone_by_operation_id = operation_id")
    merge()
    assert refusal("UPDATE dedup_merge SET survivor_id = 2") == "merge_of_two"


def test_a_pair_is_held_apart_once_until_it_is_lifted():
    """R22, R46"""
    insert("dedup_apartpair", low_id=1, high_id=2)
    again = "INSERT INTO dedup_apartpair (low_id, high_id) VALUES (1, 2)"
    assert refusal(again) == "apartpair_active"
    assert refusal("INSERT INTO dedup_apartpair (low_id, high_id) VALUES (3, 2)") == "apartpair_order"
    sql("UPDATE dedup_apartpair SET lifted_at = now()")
    sql(again)


def test_an_idempotency_key_is_taken_once():
    insert("dedup_idempotencykey", scope="1", key="k", body_hash="h")
    again = "INSERT INTO dedup_idempotencykey (scope, key, body_hash) VALUES ('1', 'k', 'x')"
    assert refusal(again) == "idempotencykey_once"
