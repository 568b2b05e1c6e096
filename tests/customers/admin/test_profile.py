"""The page of a profile: who it is, what happened to it, and who may see which of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl

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
from tests.html import page
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


def test_the_header_says_who_it_is() -> None:
    shown = page(signed_in().get(address(Customer, "change", paul().pk)))
    assert shown.one(name=True).text == "Paul Peterson"
    assert PAUL in shown.one(kind="email").text
    assert PAUL_PHONE in shown.one(kind="mobile_phone").text
    assert [flag["flag"] for flag in shown.one(kind="email").all(flag=True)] == ["primary"]
    assert set(shown.values("fact")) == {"registered_at", "last_action_at"}


def test_a_former_maestra_id_leads_to_the_same_tab_of_todays_profile() -> None:
    merge, client = Merge.objects.get(), signed_in()
    answer = client.get(
        address(Customer, "tab", merge.absorbed_id, "history"), {"kind": "merged"}, follow=True
    )
    assert answer.redirect_chain == [
        (address(Customer, "tab", merge.survivor_id, "history") + "?kind=merged", 302)
    ]
    (message,) = answer.context["messages"]
    assert {str(merge.absorbed_id), str(merge.survivor_id)} <= set(re.findall(r"\d+", str(message)))


def test_who_never_was_is_not_found_and_who_was_erased_is_said_to_be() -> None:
    client, customer = signed_in(), evan()
    for missing in ("999999", "99999999999999999999", "x"):
        assert client.get(f"/admin/customers/customer/{missing}/change/").status_code == 404, missing
    assert client.get(address(Customer, "tab", customer.pk, "nothing")).status_code == 404
    erase(customer.pk, actor="system")
    shown = page(client.get(address(Customer, "change", customer.pk)))
    assert shown.all(erased=True)
    assert EVAN not in shown.text


def test_segments_are_shown_with_entries_and_exits() -> None:
    shown = page(tab(signed_in("Viewer"), paul(), "segments"))
    assert shown.one(segment="gold").text.startswith("Loyalty level Gold")
    (entry,) = shown.all(entry="segment")
    assert "gold" in entry.text
    assert page(tab(signed_in("Marketer"), evan(), "segments")).all(none=True)


def test_related_customers_are_shown_with_the_reason_and_a_link_both_ways() -> None:
    client = signed_in()
    for customer, other, kept in ((paul(), evan(), "yes"), (evan(), paul(), "no")):
        related = page(tab(client, customer, "personal")).one(customer=other.pk)
        (contested,) = related.all(kept=kept)
        assert contested["criterion"] == "orders"
        assert f"Mobile phone {PAUL_PHONE}" in contested.text
        assert address(Customer, "change", other.pk) in related.links


def test_the_history_answers_why_a_phone_is_not_there() -> None:
    (entry,) = page(tab(signed_in(), evan(), "history", kind="contact_lost")).all(entry=True)
    facts = (entry["entry"], entry["related"], entry["criterion"])
    assert facts == ("contact_lost", str(paul().pk), "orders")
    assert f"Mobile phone {PAUL_PHONE}" in entry.text


def test_the_history_of_merged_customers_is_one_and_names_their_maestra_ids() -> None:
    merge = Merge.objects.get()
    shown = page(tab(signed_in(), merge.survivor_id, "history"))
    assert {e["maestra_id"] for e in shown.all(entry=True)} == {
        str(merge.survivor_id),
        str(merge.absorbed_id),
    }
    assert shown.one(entry="merged")["related"] == str(merge.absorbed_id)


def test_the_history_is_filtered_by_days_and_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the days on which it was told; when it happened stands beside (R40)."""
    client, customer = signed_in(), paul()
    day = timezone.localdate()
    told = page(tab(client, customer, "history", since=day.isoformat(), until=day.isoformat()))
    assert {"created", "order"} <= set(told.values("entry"))
    assert told.one(entry="created").one(occurred_at=True)
    before = page(tab(client, customer, "history", until=(day - timedelta(days=1)).isoformat()))
    assert (before.values("entry"), len(before.all(none=True))) == ([], 1)
    monkeypatch.setattr("customers.admin.profile_tabs.PER_PAGE", 3)
    seen, shown = [], page(tab(client, customer, "history"))
    for _turn in range(30):
        seen += [entry.text for entry in shown.all(entry=True)]
        older = [link.attributes["href"] for link in shown.all(older=True)]
        if not older:
            break
        shown = page(tab(client, customer, "history", **dict(parse_qsl(older[0].removeprefix("?")))))
    monkeypatch.undo()
    assert seen == [entry.text for entry in page(tab(client, customer, "history")).all(entry=True)]
    assert len(seen) > 6


def test_an_address_that_was_tampered_with_shows_the_first_page() -> None:
    client = signed_in()
    for value in ("x", "e30=", "WzEsMl0=", "é"):
        assert "created" in page(tab(client, paul(), "history", after=value)).values("entry")
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
    shown = page(tab(signed_in(), customer, "activity"))
    sessions = shown.all(session=True)
    assert [bool(session.all(before_registration=True)) for session in sessions] == [False, False, True]
    assert re.findall(r"Page \d", shown.text) == ["Page 0", "Page 1", "Page 2", "Page 3"]


def test_the_graph_shows_what_joined_two_and_tells_it_in_words() -> None:
    merge = Merge.objects.get()
    shown = page(tab(signed_in(), merge.survivor_id, "graph"))
    (picture,) = (element for element in shown.below() if element.tag == "svg")
    assert picture.values("maestra_id") == [str(merge.survivor_id), str(merge.absorbed_id)]
    assert [chip["chip"] for chip in picture.all(joined=True)] == ["scott@example.com"]
    assert picture.values("merged") == [str(merge.absorbed_id)]
    assert "E-mail scott@example.com" in picture.text
    assert shown.one(entry="merged")["related"] == str(merge.absorbed_id)


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
    html = tab(signed_in(), customer, "graph")
    assert len(page(html).all(chip=True)) < 20
    assert "96" in page(html).values("more")
    height = re.search(r'<svg viewBox="0 0 960 (\d+)"', html)
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


def test_a_note_is_written_by_hand_and_shown_with_its_author() -> None:
    client, customer = signed_in("Marketer"), paul()
    form = address(Customer, "page", customer.pk, "note")
    answer = client.post(form, {"text": " Called back. <b>Nice</b> \r\nAgain on Monday "}, follow=True)
    assert "Called back. &lt;b&gt;Nice&lt;/b&gt; \nAgain on Monday" in answer.content.decode()
    assert page(answer).values("author") == ["Marketer"]
    note = load_profiles([customer.pk])[customer.pk].notes[-1]
    assert (note.reason, note.maestra_id) == ("by_hand", customer.pk)
    (entry,) = page(tab(client, customer, "history", kind="note")).all(entry="note")
    assert "Called back." in entry.text
    for refused in ("  ", "x" * 2001):
        assert page(client.post(form, {"text": refused})).all(faults=True)
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
                html = tab(client, customer, slug)
                assert {value for value in values if value in html} == set(), (role, slug)
    assert "p•••@e•••.com" in tab(client, paul(), "personal")


def test_a_masked_contact_is_shown_one_at_a_time_and_it_is_recorded() -> None:
    client, customer = signed_in("Integrator"), paul()
    html = tab(client, customer, "identifiers")
    tokens = re.findall(r'name="token" value="(\w+)"', html)
    shown = client.post(address(Customer, "page", customer.pk, "reveal"), {"token": tokens[0]})
    text = shown.content.decode()
    assert PAUL in text
    assert PAUL_PHONE not in text
    assert "no-store" in shown.headers["Cache-Control"]
    reveal = Reveal.objects.get()
    facts = (reveal.user_name, reveal.kind, reveal.identifier_kind, reveal.maestra_id)
    assert facts == ("Integrator", "contact", "email", customer.pk)
    assert PAUL not in tab(client, customer, "identifiers")
    officer = page(signed_in("Privacy officer").get(address(Reveal))).text
    assert "Integrator" in officer
    assert str(reveal.get_kind_display()) in officer


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
    assert page(tab(client, customer, "personal")).values("zone") == ["Asia/Tokyo"]
    next_day = (at + timedelta(days=1)).strftime("%-d %b %Y")
    assert f">{next_day}<" in tab(client, customer, "personal")
    for nonsense in ("../etc/passwd", "No/Such", "", "x" * 300):
        client.cookies["time_zone"] = nonsense
        assert page(tab(client, customer, "personal")).values("zone") == ["UTC"]


def test_an_actions_button_is_offered_to_whom_it_may_serve() -> None:
    marketer, officer = (tab(signed_in(role), paul(), "personal") for role in ("Marketer", "Privacy officer"))
    assert 'value="erase"' not in marketer
    assert 'value="erase"' in officer
    assert address(Customer, "page", paul().pk, "edit") in marketer


def test_an_anonymous_customer_is_erased_from_its_page_when_asked() -> None:
    client, customer = signed_in("Privacy officer"), paul()
    Customer.objects.filter(pk=customer.pk).update(is_identified=False)
    html = tab(client, customer, "personal")
    action = re.search(r'action="([^"]*\?shown=all)"', html)
    assert action
    question = client.post(action[1], {"action": "erase", "_selected_action": str(customer.pk)})
    assert page(question).values("question") == ["erase"]


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
