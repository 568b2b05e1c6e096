"""The page of a profile: who it is, what happened to it, and who may see which of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.changes import Held
from customers.contact_types import masked_address, masked_number
from customers.models import Activity, Customer, Note, Reveal
from customers.presentation.masking import MaskingPolicy
from customers.privacy.erasure import erase
from customers.profile import Key
from customers.storage.loading import load_profiles
from dedup.demo.story import EVAN, EVAN_PHONE, PAUL
from dedup.models import Merge
from tests.customers.storage.saving import holding, record, save
from tests.staff import address, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("opened_shop")]

TABS = ("personal", "identifiers", "subscriptions", "orders", "activity", "history", "graph")
PAUL_PHONE = "+14155550122"


def paul() -> Customer:
    return Customer.objects.get(first_name="Paul")


def evan() -> Customer:
    return Customer.objects.get(identifiers__value=EVAN)


def tab(client: Client, customer: Customer | int, slug: str, **query: str) -> str:
    pk = customer.pk if isinstance(customer, Customer) else customer
    answer = client.get(address(Customer, "tab", pk, slug), query)
    assert answer.status_code == 200, slug
    return answer.content.decode()


def words(html: str) -> str:
    """The text of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_the_header_says_who_it_is() -> None:
    text = words(signed_in().get(address(Customer, "change", paul().pk)).content.decode())
    for said in ("Paul Peterson", PAUL, PAUL_PHONE, "Registered", "Last active", "primary"):
        assert said in text


def test_a_former_maestra_id_leads_to_the_same_tab_of_todays_profile() -> None:
    merge, client = Merge.objects.get(), signed_in()
    answer = client.get(
        address(Customer, "tab", merge.absorbed_id, "history"), {"kind": "merged"}, follow=True
    )
    assert answer.redirect_chain == [
        (address(Customer, "tab", merge.survivor_id, "history") + "?kind=merged", 302)
    ]
    said = f"{merge.absorbed_id} is a former MaestraID: it was merged into customer {merge.survivor_id}"
    assert said in answer.content.decode()


def test_who_never_was_is_not_found_and_who_was_erased_is_said_to_be() -> None:
    client, customer = signed_in(), evan()
    for missing in ("999999", "99999999999999999999", "x"):
        assert client.get(f"/admin/customers/customer/{missing}/change/").status_code == 404, missing
    assert client.get(address(Customer, "tab", customer.pk, "nothing")).status_code == 404
    erase(customer.pk, actor="system")
    text = client.get(address(Customer, "change", customer.pk)).content.decode()
    assert "This customer was erased" in text
    assert EVAN not in text


def test_segments_are_shown_with_entries_and_exits() -> None:
    text = words(tab(signed_in("Viewer"), paul(), "segments"))
    assert "Loyalty level Gold" in text
    assert "Is in segment gold of loyalty." in text
    assert "This customer is in no segment." in tab(signed_in("Marketer"), evan(), "segments")


def test_related_customers_are_shown_with_the_reason_and_a_link_both_ways() -> None:
    client = signed_in()
    mine, his = tab(client, paul(), "personal"), tab(client, evan(), "personal")
    assert f"Mobile phone {PAUL_PHONE} is this customer&#x27;s, because it has orders" in mine
    assert f"Mobile phone {PAUL_PHONE} is customer {paul().pk}&#x27;s, because customer" in his
    assert address(Customer, "change", evan().pk) in mine
    assert address(Customer, "change", paul().pk) in his


def test_the_history_answers_why_a_phone_is_not_there() -> None:
    text = words(tab(signed_in(), evan(), "history", kind="contact_lost"))
    assert f"Mobile phone {PAUL_PHONE} stays with customer {paul().pk}, because customer" in text
    assert "The customer was created." not in text


def test_the_history_of_merged_customers_is_one_and_names_their_maestra_ids() -> None:
    merge = Merge.objects.get()
    text = words(tab(signed_in(), merge.survivor_id, "history"))
    assert f"MaestraID {merge.survivor_id}" in text
    assert f"MaestraID {merge.absorbed_id}" in text
    assert f"Customer {merge.absorbed_id} was merged into this one" in text


def test_the_history_is_filtered_by_days_and_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    client, customer = signed_in(), paul()
    day = customer.registered_at.date()
    first = words(tab(client, customer, "history", until=day.isoformat()))
    assert "The customer was created." in first
    assert "Order" not in re.sub(r"Filter.*Filter", "", first).partition("Until")[2]
    assert "No change is like that" in tab(
        client, customer, "history", until=(day - timedelta(days=1)).isoformat()
    )
    monkeypatch.setattr("customers.admin.profile_tabs.PER_PAGE", 3)
    seen, page = [], tab(client, customer, "history")
    for _turn in range(30):
        seen += re.findall(r'class="sf-sentence">([^<]*)<', page)
        older = re.search(r'href="\?after=([^"]*)">Older', page)
        if not older:
            break
        page = tab(client, customer, "history", after=older[1].replace("%3D", "="))
    monkeypatch.undo()
    assert seen == re.findall(r'class="sf-sentence">([^<]*)<', tab(client, customer, "history"))
    assert len(seen) > 6


def test_an_address_that_was_tampered_with_shows_the_first_page() -> None:
    client = signed_in()
    for value in ("x", "e30=", "WzEsMl0=", "é"):
        assert "The customer was created." in tab(client, paul(), "history", after=value)
        tab(client, paul(), "orders", orders=value)
        tab(client, paul(), "history", since=value)


def test_activity_is_shown_by_session_and_before_registration_is_marked() -> None:
    customer, now = paul(), timezone.now()
    device = customer.identifiers.filter(kind__system_name="device_id").first()
    assert device
    times = [now - timedelta(minutes=m) for m in (0, 10, 90)] + [customer.registered_at - timedelta(days=3)]
    for number, at in enumerate(times):
        Activity.objects.create(
            uuid=f"00000000-0000-0000-0000-{number:012}",
            maestra_id=customer.pk,
            kind="page_view",
            occurred_at=at,
            device_id=device.pk,
            title=f"Page {number}",
        )
    page = tab(signed_in(), customer, "activity")
    assert page.count('<details class="sf-card sf-session"') == 3
    assert page.count("before registration") == 1
    assert page.index("Page 0") < page.index("Page 1") < page.index("Page 2") < page.index("Page 3")


def test_the_graph_shows_what_joined_two_and_tells_it_in_words() -> None:
    merge = Merge.objects.get()
    page = tab(signed_in(), merge.survivor_id, "graph")
    graph = page[page.index("sf-graph") :]
    picture = graph[: graph.index("</svg>")]
    assert f"MaestraID {merge.absorbed_id}" in picture
    assert "joined them" in picture
    assert "they share E-mail scott@example.com" in picture
    assert f"Customer {merge.absorbed_id} was merged into this one" in words(page)


def fill(customer: Customer, count: int) -> None:
    """So many identifiers of two kinds more."""
    keys = [
        Key(kind, f"{kind}-{number}") for kind in ("session_key", "device_id") for number in range(count // 2)
    ]
    changes = [
        Held(customer=customer.pk, maestra_id=customer.pk, before=None, after=holding(key, customer.pk))
        for key in keys
    ]
    save([record(*changes)])


def test_the_graph_of_two_hundred_identifiers_stays_small() -> None:
    customer = paul()
    fill(customer, 200)
    page = tab(signed_in(), customer, "graph")
    assert page.count("sf-chip-text") < 20
    assert "and 96 more" in page
    height = re.search(r'<svg viewBox="0 0 960 (\d+)"', page)
    assert height
    assert int(height[1]) < 800


def test_each_tab_takes_the_same_number_of_queries_whatever_the_profiles_size() -> None:
    client, small, big = signed_in(), evan(), paul()
    fill(big, 200)
    now = timezone.now()
    Note.objects.bulk_create(
        Note(maestra_id=big.pk, at=now, reason="by_hand", kind="", value=f"Note {n}") for n in range(30)
    )
    Note.objects.create(maestra_id=small.pk, at=now, reason="by_hand", kind="", value="Note")
    for customer in (small, big):
        for number in range(5 if customer == small else 200):
            Activity.objects.create(
                uuid=f"{customer.pk:08}-0000-0000-0000-{number:012}",
                maestra_id=customer.pk,
                kind="page_view",
                occurred_at=now - timedelta(hours=number),
            )
    for slug in TABS:
        counts = []
        for customer in (small, big):
            tab(client, customer, slug)
            with CaptureQueriesContext(connection) as queries:
                tab(client, customer, slug)
            counts.append(len(queries))
        assert counts[0] == counts[1], slug
        assert counts[0] <= 16, slug


def test_a_note_is_written_by_hand_and_bears_its_author() -> None:
    client, customer = signed_in("Marketer"), paul()
    page = address(Customer, "page", customer.pk, "note")
    answer = client.post(page, {"text": " Called back. <b>Nice</b> \r\nAgain on Monday "}, follow=True)
    text = answer.content.decode()
    assert "Called back. &lt;b&gt;Nice&lt;/b&gt; \nAgain on Monday" in text
    assert "— Marketer" in text
    note = load_profiles([customer.pk])[customer.pk].notes[-1]
    assert (note.reason, note.maestra_id) == ("by_hand", customer.pk)
    assert "Note: Called back." in tab(client, customer, "history", kind="note")
    assert "Write something." in client.post(page, {"text": "  "}).content.decode()
    assert "at most 2000 characters" in client.post(page, {"text": "x" * 2001}).content.decode()
    assert Note.objects.filter(maestra_id=customer.pk, reason="by_hand").count() == 1


def test_notes_by_hand_are_forgotten_with_the_person() -> None:
    client, customer = signed_in("Marketer"), evan()
    client.post(address(Customer, "page", customer.pk, "note"), {"text": "Prefers calls in the evening"})
    erase(customer.pk, actor="system")
    assert not Note.objects.filter(maestra_id=customer.pk).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_change WHERE data::text LIKE '%in the evening%'")
        assert cursor.fetchone() == (0,)


def test_who_may_not_see_contacts_finds_none_on_any_tab() -> None:
    values = {PAUL, PAUL_PHONE, EVAN, "+14155550144", EVAN_PHONE, "415) 555", "5550122"}
    for role in ("Viewer", "Integrator"):
        client = signed_in(role)
        for customer in (paul(), evan()):
            for slug in TABS:
                page = tab(client, customer, slug)
                assert {value for value in values if value in page} == set(), (role, slug)
    assert "p•••@e•••.com" in tab(client, paul(), "personal")


def test_a_masked_contact_is_shown_one_at_a_time_and_it_is_recorded() -> None:
    client, customer = signed_in("Integrator"), paul()
    page = tab(client, customer, "identifiers")
    tokens = re.findall(r'name="token" value="(\w+)"', page)
    shown = client.post(address(Customer, "page", customer.pk, "reveal"), {"token": tokens[0]})
    text = shown.content.decode()
    assert PAUL in text
    assert PAUL_PHONE not in text
    assert "no-store" in shown.headers["Cache-Control"]
    reveal = Reveal.objects.get()
    facts = (reveal.user_name, reveal.kind, reveal.identifier_kind, reveal.maestra_id)
    assert facts == ("Integrator", "contact", "email", customer.pk)
    assert PAUL not in tab(client, customer, "identifiers")
    officer = signed_in("Privacy officer").get(address(Reveal)).content.decode()
    assert "Integrator" in officer
    assert "A contact was shown" in officer


def test_nothing_is_shown_for_a_token_that_stands_for_no_contact_here() -> None:
    client = signed_in("Integrator")
    tokens = re.findall(r'name="token" value="(\w+)"', tab(client, paul(), "identifiers"))
    answer = client.post(address(Customer, "page", evan().pk, "reveal"), {"token": tokens[0]}, follow=True)
    assert PAUL not in answer.content.decode()
    assert not Reveal.objects.exists()


def test_a_viewer_has_nothing_shown_and_writes_nothing() -> None:
    client = signed_in("Viewer")
    for slug in ("reveal", "note", "edit"):
        assert client.post(address(Customer, "page", paul().pk, slug), {"text": "x"}).status_code == 403, slug
        assert client.get(address(Customer, "page", paul().pk, slug)).status_code == 403, slug
    assert client.get(address(Reveal)).status_code == 403


def test_a_profile_is_not_for_those_who_may_not_see_customers() -> None:
    client = signed_in("Viewer")
    client.logout()
    assert client.get(address(Customer, "change", paul().pk)).status_code == 302
    from_outside = signed_in_without_a_role()
    for slug in TABS:
        assert from_outside.get(address(Customer, "tab", paul().pk, slug)).status_code == 403
    assert from_outside.get(address(Customer, "change", paul().pk)).status_code == 403


def signed_in_without_a_role() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    return client


def test_payment_cards_are_masked_and_only_on_a_privacy_officers_page() -> None:
    customer = paul()
    customer.payment_cards.create(hash="f" * 64, origin_id=customer.pk, since=timezone.now())
    assert "ffff…" in tab(signed_in("Privacy officer"), customer, "identifiers")
    assert "ffff" not in tab(signed_in("Marketer"), customer, "identifiers")
    everything = signed_in()
    assert not [slug for slug in TABS if "f" * 10 in tab(everything, customer, slug)]


def test_an_export_of_everything_is_recorded() -> None:
    customer = paul()
    answer = signed_in("Privacy officer").get(address(Customer, "export", customer.pk))
    assert answer.status_code == 200
    assert Reveal.objects.values_list("kind", "maestra_id").get() == ("export", customer.pk)


def test_times_are_in_the_readers_zone() -> None:
    client, customer = signed_in(), paul()
    at = customer.registered_at
    Customer.objects.filter(pk=customer.pk).update(registered_at=at.replace(hour=23, minute=30))
    client.cookies["time_zone"] = "Asia/Tokyo"
    assert "Times are in the zone Asia/Tokyo." in tab(client, customer, "personal")
    next_day = (at + timedelta(days=1)).strftime("%-d %b %Y")
    assert f">{next_day}<" in tab(client, customer, "personal")
    for nonsense in ("../etc/passwd", "No/Such", "", "x" * 300):
        client.cookies["time_zone"] = nonsense
        assert "Times are in the zone UTC." in tab(client, customer, "personal")


def test_an_actions_button_is_offered_to_whom_it_may_serve() -> None:
    marketer, officer = (tab(signed_in(role), paul(), "personal") for role in ("Marketer", "Privacy officer"))
    assert 'value="erase"' not in marketer
    assert 'value="erase"' in officer
    assert address(Customer, "page", paul().pk, "edit") in marketer


def test_an_anonymous_customer_is_erased_from_its_page_when_asked() -> None:
    client, customer = signed_in("Privacy officer"), paul()
    Customer.objects.filter(pk=customer.pk).update(is_identified=False)
    page = tab(client, customer, "personal")
    action = re.search(r'action="([^"]*\?shown=all)"', page)
    assert action
    question = client.post(action[1], {"action": "erase", "_selected_action": str(customer.pk)})
    assert "Yes, erase for ever" in question.content.decode()


def test_masks_tell_neither_value_nor_length() -> None:
    assert masked_address("ann@example.com") == masked_address("alexander@enormous.com")
    assert masked_number("+14155550122") == "+1•••22"
    assert masked_number("7001") == "•••"
    masking = MaskingPolicy(lifted=False, revealed=frozenset({Key("email", "a@b.c")}))
    assert masking.value("email", "a@b.c") == "a@b.c"
    assert masking.value("crm_id", "301") == "301"
    facts = {"kind": "merged", "matched": [{"type": "email", "value": "ann@example.com"}], "value": 7}
    assert masking.facts(facts) == {**facts, "matched": [{"type": "email", "value": "a•••@e•••.com"}]}
    assert replace(masking, lifted=True).facts(facts) is facts
