"""Finding customers in the admin: by whatever is typed, by filters that are addresses, and as a file."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.admin import time_limited_list
from customers.models import Customer, Identifier, Reveal, SavedFilter
from customers.presentation.csv import plain_cell
from customers.queries.search import find_hits
from customers.setup.project_config import project_config
from customers.storage.transactions import limited
from dedup.demo.story import EVAN, NINA, PAUL
from dedup.models import Merge
from segments.models import Segment
from tests.html import Element, page
from tests.staff import address, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("opened_shop")]

LIST = "/admin/customers/customer/"


def rename(kind: str, value: str, new: str) -> None:
    """Give an ID a value that no MaestraID can have."""
    assert Identifier.objects.filter(kind__system_name=kind, value=value).update(value=new, raw=new)


def searched(client: Client, text: str) -> tuple[str, Element]:
    """Where a search ends, and what is shown there."""
    answer = client.get(LIST, {"q": text}, follow=True)
    return answer.request["PATH_INFO"], page(answer)


def listed(client: Client, **filters: str) -> set[str]:
    """The e-mails of a filtered list."""
    rows = client.get(LIST, filters).context["cl"].result_list
    return {held.value for row in rows for held in row.primaries if held.kind_id == 1}


def exported(client: Client, **filters: str) -> list[dict[str, str]]:
    answer = client.get(address(Customer, "export_list"), filters)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def test_whatever_leads_to_one_customer_leads_to_the_profile() -> None:
    client, paul = signed_in(), Customer.objects.get(first_name="Paul")
    rename("website_id", "535", "site-535")
    for text in (
        PAUL,
        f"  {PAUL.upper()}",
        "(415) 555-0122",
        "+1 415 555 0122",
        "site-535",
        "paul",
        "Peterson P",
    ):
        assert searched(client, text)[0] == address(Customer, "change", paul.pk), text


def test_a_former_id_leads_to_todays_profile_and_says_so() -> None:
    client, merge = signed_in(), Merge.objects.get()
    path, shown = searched(client, str(merge.absorbed_id))
    assert path == address(Customer, "change", merge.survivor_id)
    assert f"MaestraID {merge.absorbed_id}" in shown.text
    rename("crm_id", "301", "crm-301")
    path, shown = searched(client, "crm-301")
    assert path == address(Customer, "change", Customer.objects.get(first_name="Nina").pk)
    assert "CRM ID crm-301" in shown.text


def test_several_hits_are_listed_with_what_each_was_found_by() -> None:
    client, paul = signed_in(), Customer.objects.get(first_name="Paul")
    nina = Customer.objects.get(first_name="Nina")
    crm_id = Identifier.objects.get(kind__system_name="crm_id", customer=nina, is_former=False)
    Identifier.objects.filter(pk=crm_id.pk).update(value=str(paul.pk))
    path, shown = searched(client, str(paul.pk))
    assert path == LIST
    matches = {(match["match"], match["customer"]) for match in shown.all(match=True)}
    assert matches == {("maestra_id", str(paul.pk)), ("crm_id", str(nina.pk))}


def test_a_family_name_lists_the_family() -> None:
    client = signed_in()
    rows = client.get(LIST, {"q": "peterson"}).context["cl"].result_list
    assert {row.first_name for row in rows} == {"Paul", "Linda"}


def test_what_finds_nobody_says_so() -> None:
    client = signed_in()
    for text in ("nobody@example.com", "99999999999999999999", "'%"):
        path, shown = searched(client, text)
        assert path == LIST
        assert shown.values("empty") == ["no_match"]
    assert "Null characters are not allowed" in searched(client, "x\0")[1].text  # Django's own words


def test_a_search_says_as_what_a_value_was_found() -> None:
    nina = Customer.objects.get(first_name="Nina")
    rename("crm_id", "301", "crm-301")
    assert find_hits("crm-301", project_config()) == [(nina.pk, "crm_id", "crm-301", True)]


def test_filters_narrow_the_list() -> None:
    client = signed_in()
    assert PAUL in listed(client, has_orders="yes")
    assert EVAN not in listed(client, has_orders="yes")
    assert EVAN in listed(client, has_orders="no")
    assert listed(client, contact="discount_card") == {"ann@example.com"}
    assert EVAN in listed(client, contact="mobile_phone")
    assert EVAN not in listed(client, contact="no_mobile_phone")
    assert listed(client, access="yes") == {"ann@example.com", "clara@example.com"}
    assert EVAN in listed(client, point="website", contact="mobile_phone")
    assert PAUL not in listed(client, point="crm_import")
    assert PAUL in listed(client, subscription="email/subscribed")
    assert listed(client, subscription="email/unsubscribed") == set()


def test_customers_are_listed_by_segment() -> None:
    client, gold = signed_in(), Segment.objects.get(system_name="gold")
    assert listed(client, segment=str(gold.pk)) == {PAUL}
    for nobody in ("999999", "x", "9" * 30):
        assert listed(client, segment=nobody) == set()


def test_filters_by_date_include_both_days() -> None:
    client = signed_in()
    nina = Customer.objects.get(first_name="Nina")
    day = nina.registered_at.date()
    assert NINA in listed(client, registered_from=day.isoformat(), registered_until=day.isoformat())
    later = (day + timedelta(days=1)).isoformat()
    assert NINA not in listed(client, registered_from=later)
    assert NINA not in listed(client, registered_until=(day - timedelta(days=1)).isoformat())
    today = timezone.now().date().isoformat()
    assert PAUL in listed(client, active_until=today)
    assert PAUL not in listed(client, active_from=today)


def test_a_filter_that_is_none_is_passed_over_or_finds_nobody() -> None:
    client = signed_in()
    for filters in (
        {"registered_from": "yesterday"},
        {"contact": "x"},
        {"shown": "x"},
        {"subscription": "x"},
    ):
        assert client.get(LIST, filters, follow=True).status_code == 200


def slow_without(monkeypatch: pytest.MonkeyPatch, condition: str) -> None:
    """Every statement of the list takes too long, but those with the condition."""
    found = time_limited_list.rows_within_limit

    def slow(rows: QuerySet[Customer]) -> list[Customer]:
        if condition not in str(rows.query):
            raise TimeoutError
        return found(rows)

    monkeypatch.setattr(time_limited_list, "rows_within_limit", slow)


def test_what_few_are_like_is_looked_for_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limited_list, "WINDOW", 5)
    slow_without(monkeypatch, '"id" >=')
    client = signed_in()
    ids = list(Customer.objects.order_by("-pk").values_list("pk", flat=True))
    seen, address = list[int](), f"{LIST}?shown=all"
    while address:
        answer = client.get(address)
        changelist = answer.context["cl"]
        seen += [row.pk for row in changelist.result_list]
        assert str(changelist.looked_down_to) in answer.content.decode()
        address = f"{LIST}{changelist.older}" if changelist.looked_down_to else ""
    assert seen == ids


def test_what_takes_too_long_even_so_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    slow_without(monkeypatch, "no such condition")
    shown = page(signed_in().get(LIST, {"contact": "no_email"}))
    assert shown.all(gave_up=True)
    assert shown.values("empty") == ["gave_up"]


def test_a_statement_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(TimeoutError), limited(0.01), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")
    with limited(1), connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("1s",)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_what_is_filtered_anew_begins_at_the_first_page() -> None:
    html = signed_in().get(LIST, {"q": "peterson", "p": "1", "contact": "email"}).content.decode()
    form = html[html.index('id="filter-form"') :]
    assert '<input type="hidden" name="q" value="peterson">' in form
    assert '<input type="hidden" name="p"' not in form


def test_contacts_are_masked_in_the_list_for_a_viewer() -> None:
    text = signed_in("Viewer").get(LIST).content.decode()
    assert "p•••@e•••.com" in text
    assert PAUL not in text


def test_the_list_costs_the_same_however_many_are_listed() -> None:
    client = signed_in()
    client.get(LIST)
    counts = []
    for filters in ({"contact": "discount_card"}, {}):
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST, filters)
        counts.append(len(queries))
        assert not [query for query in queries if "COUNT(" in query["sql"]]
    assert counts[0] == counts[1]


def test_a_filtered_list_is_exported_and_the_export_recorded() -> None:
    client = signed_in("Marketer")
    rows = exported(client, has_orders="yes")
    by_email = {row["E-mail"]: row for row in rows}
    assert by_email[PAUL]["First name"] == "Paul"
    assert plain_cell(by_email[PAUL]["Mobile phone"]) == "+14155550122"
    assert by_email[PAUL]["Website ID"] == "535"
    assert EVAN not in by_email
    assert Reveal.objects.values_list("kind", "user_name", "maestra_id").get() == ("list", "Marketer", None)


def test_no_payment_card_hash_and_no_formula_leaves_with_a_list() -> None:
    paul = Customer.objects.get(first_name="Paul")
    paul.payment_cards.create(hash="f" * 64, origin_id=paul.pk, since=timezone.now())
    Customer.objects.filter(pk=paul.pk).update(last_name='=HYPERLINK("http://x")')
    rows = exported(signed_in())
    assert "f" * 64 not in str(rows)
    assert [row["Last name"] for row in rows if row["First name"] == "Paul"] == ['\'=HYPERLINK("http://x")']


def test_a_long_list_is_exported_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in()
    whole = exported(client)
    monkeypatch.setattr("customers.admin.csv_export.PAGE", 2)
    assert exported(client) == whole
    assert len(whole) == Customer.objects.filter(is_head=True, is_identified=True).count()


def test_only_who_may_exports_a_list() -> None:
    for role in ("Viewer", "Integrator", "Privacy officer"):
        assert signed_in(role).get(address(Customer, "export_list")).status_code == 403, role
    assert not Reveal.objects.exists()


def test_a_filter_is_saved_under_a_name_for_its_user_alone() -> None:
    client = signed_in("Marketer")
    html = client.get(LIST, {"contact": "discount_card", "p": "1"}).content.decode()
    assert 'name="query" value="contact=discount_card"' in html
    save = address(Customer, "save_filter")
    answer = client.post(save, {"name": "Card holders", "query": "contact=discount_card"})
    assert answer.headers["Location"] == f"{LIST}?contact=discount_card"
    client.post(save, {"name": "Card holders", "query": "contact=mobile_phone"})
    kept = SavedFilter.objects.get()
    assert (kept.name, kept.query) == ("Card holders", "contact=mobile_phone")
    assert "Card holders" in client.get(LIST).content.decode()
    other = signed_in("Viewer")
    assert "Card holders" not in other.get(LIST).content.decode()
    other.post(address(Customer, "forget_filter", kept.pk))
    assert SavedFilter.objects.exists()
    client.post(address(Customer, "forget_filter", kept.pk))
    assert not SavedFilter.objects.exists()


def test_a_saved_filter_leads_nowhere_but_to_the_list() -> None:
    client = signed_in("Marketer")
    data = {"name": "x", "query": "//evil.example/?a=b"}
    assert client.post(address(Customer, "save_filter"), data).headers["Location"].startswith(f"{LIST}?")
    assert client.get(address(Customer, "save_filter")).status_code == 403
