"""Editing a customer in the admin: what the API's edit does, with its errors at their fields, and asked first
where more happens than was written.
"""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from customers.models import Customer, CustomField, Operation
from customers.profile import Category, Channel, Key, Profile
from customers.storage.loading import load_profiles
from dedup.demo.story import EVAN, NINA, PAUL
from tests.html import page
from tests.staff import address, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("opened_shop")]


def nina() -> Customer:
    return Customer.objects.get(first_name="Nina")


def profile(customer: Customer) -> Profile:
    return load_profiles([customer.pk])[customer.pk]


def form_of(client: Client, customer: Customer) -> dict[str, str]:
    """What a browser would send if nothing were touched."""
    form = client.get(address(Customer, "page", customer.pk, "edit")).context["form"]
    data = {}
    for bound in form:
        if bound.field.__class__.__name__ == "BooleanField":
            continue
        data[bound.html_name] = data[bound.html_initial_name] = str(bound.value() or "")
    return data


def edited(client: Client, customer: Customer, **changes: str) -> str:
    """The page that answers to an edit; names with dots are written with two underscores."""
    data = form_of(client, customer) | {name.replace("__", "."): value for name, value in changes.items()}
    answer = client.post(address(Customer, "page", customer.pk, "edit"), data, follow=True)
    return answer.content.decode()


def test_what_was_not_touched_is_not_written() -> None:
    client, before = signed_in("Marketer"), Operation.objects.count()
    assert not page(edited(client, nina())).all(question=True)
    assert Operation.objects.count() == before


def test_personal_data_time_zone_and_custom_fields_are_edited() -> None:
    client, customer = signed_in("Marketer"), nina()
    CustomField.objects.create(system_name="sizes", name="Sizes", type="list")
    changes = {
        "personal__last_name": "Ray",
        "personal__birth_date": "1990-01-31",
        "time_zone": "Europe/Berlin",
        "custom_fields__shoe_size": "38",
        "custom_fields__sizes": "S\nM",
    }
    edited(client, customer, **changes)
    now = profile(customer)
    assert (now.personal.first_name, now.personal.last_name) == ("Nina", "Ray")
    assert str(now.personal.birth_date) == "1990-01-31"
    assert now.time_zone == "Europe/Berlin"
    assert now.custom_fields == {"shoe_size": 38, "sizes": ["S", "M"]}
    operation = Operation.objects.latest("pk")
    assert (operation.kind, operation.actor) == ("edit", "user:Marketer")


def test_an_emptied_field_is_cleared() -> None:
    client, customer = signed_in("Marketer"), nina()
    edited(client, customer, personal__last_name="", time_zone="Europe/Berlin")
    assert profile(customer).personal.present() == {"first_name": "Nina"}
    edited(client, customer, time_zone="")
    assert profile(customer).time_zone is None


def test_errors_stand_at_their_fields_and_nothing_is_stored() -> None:
    client, customer = signed_in("Marketer"), nina()
    before = profile(customer)
    faulty = {"email": "no address", "personal__birth_date": "31.01.1990", "custom_fields__shoe_size": "big"}
    data = form_of(client, customer) | {name.replace("__", "."): value for name, value in faulty.items()}
    answer = client.post(address(Customer, "page", customer.pk, "edit"), data | {"personal.last_name": "Ray"})
    assert set(answer.context["form"].errors) == {"email", "personal.birth_date", "custom_fields.shoe_size"}
    assert 'value="no address"' in answer.content.decode()
    assert profile(customer) == before


def test_a_new_contact_becomes_primary_and_the_other_one_can_be_made_so_again() -> None:
    client, customer = signed_in("Marketer"), nina()
    edited(client, customer, email="reyes@example.com")
    assert profile(customer).primary("email") == profile(customer).holdings[Key("email", "reyes@example.com")]
    form = client.get(address(Customer, "page", customer.pk, "edit")).context["form"]
    tokens = {text: token for token, text in form.fields["email.primary"].choices}
    edited(client, customer, email__primary=tokens[NINA])
    primary = profile(customer).primary("email")
    assert primary
    assert primary.value == NINA


def test_ids_are_replaced_added_and_cleared() -> None:
    client, customer = signed_in("Marketer"), nina()
    edited(client, customer, ids__crm_id="104", ids__session_key="s-1")
    now = profile(customer)
    current = now.current("crm_id")
    assert current
    assert current.value == "104"
    assert {h.value for h in now.held(Category.IDENTIFIER)} == {"s-1"}
    assert now.holdings[Key("crm_id", "103")].is_former
    edited(client, customer, ids__crm_id="")
    assert profile(customer).current("crm_id") is None


def confirm(client: Client, customer: Customer, question: str) -> str:
    """Say yes to a question."""
    sent = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', question))
    return client.post(address(Customer, "page", customer.pk, "edit"), sent, follow=True).content.decode()


def test_subscriptions_are_set_and_added() -> None:
    client, paul = signed_in("Marketer"), Customer.objects.get(first_name="Paul")
    changes = {"new__channel": "sms", "new__topic": "sales", "subscription__email__news": "unsubscribed"}
    edited(client, paul, **changes)
    found = {channel: row.status.value for channel, row in profile(paul).subscriptions.items()}
    assert found[Channel("sms", "sales")] == "subscribed"
    assert found[Channel("email", "news")] == "unsubscribed"


def test_a_contact_of_somebody_else_is_asked_about_before_anything_happens() -> None:
    client, customer = signed_in("Marketer"), Customer.objects.get(first_name="Scott", is_head=True)
    before = profile(customer)
    question = edited(client, customer, mobile_phone="(415) 555-0144")
    assert "+14155550144" in page(question).one(question=True).text
    assert profile(customer) == before
    confirm(client, customer, question)
    assert profile(customer) != before


def test_a_merge_that_an_edit_brings_is_told_before_it_happens() -> None:
    client, customer = signed_in("Marketer"), Customer.objects.get(first_name="Carl")
    evan = Customer.objects.get(identifiers__value="somebody.else@example.com")
    question = edited(client, customer, email="somebody.else@example.com")
    assert page(question).values("merged") == [str(max(evan.pk, customer.pk))]
    confirm(client, customer, question)
    primary_id = min(evan.pk, customer.pk)
    assert profile(Customer.objects.get(pk=primary_id)).maestra_ids == {evan.pk, customer.pk}


def test_clearing_contacts_that_give_account_access_says_so_first() -> None:
    client, clara = signed_in("Marketer"), Customer.objects.get(first_name="Clara")
    question = edited(client, clara, email__clear="on")
    assert page(question).values("access") == ["lost"]
    assert profile(clara).access_contacts()
    confirm(client, clara, question)
    assert not profile(clara).access_contacts()


def test_who_changed_since_the_question_is_asked_about_anew() -> None:
    client, clara = signed_in("Marketer"), Customer.objects.get(first_name="Clara")
    question = edited(client, clara, email__clear="on")
    edited(client, clara, personal__last_name="Clark")
    again = confirm(client, clara, question)
    assert not page(question).all(stale=True)
    assert page(again).all(stale=True)
    assert profile(clara).access_contacts()
    confirm(client, clara, again)
    assert not profile(clara).access_contacts()


def test_a_refusal_is_said_as_the_api_says_it() -> None:
    client, customer = signed_in("Marketer"), nina()
    before = profile(customer)
    assert page(edited(client, customer, ids__website_id="535")).all(faults=True)
    assert profile(customer) == before


def test_two_editors_do_not_take_back_each_others_changes() -> None:
    client, customer = signed_in("Marketer"), nina()
    stale = form_of(client, customer)
    edited(client, customer, time_zone="Europe/Berlin")
    client.post(address(Customer, "page", customer.pk, "edit"), stale | {"custom_fields.shoe_size": "38"})
    assert (profile(customer).time_zone, profile(customer).custom_fields) == (
        "Europe/Berlin",
        {"shoe_size": 38},
    )


def test_only_who_may_edits() -> None:
    for role, status in (("Viewer", 403), ("Integrator", 403), ("Marketer", 200), ("Privacy officer", 200)):
        form = address(Customer, "page", nina().pk, "edit")
        assert signed_in(role).get(form).status_code == status, role


def test_the_form_shows_no_contact_to_whom_it_is_masked() -> None:
    editor = User.objects.create_user("editor", is_staff=True)
    editor.user_permissions.set(Permission.objects.filter(codename__in=("view_customer", "edit_customer")))
    client = Client()
    client.force_login(editor)
    paul = Customer.objects.get(first_name="Paul")
    form = client.get(address(Customer, "page", paul.pk, "edit")).content.decode()
    assert PAUL not in form
    assert "p•••@e•••.com" in form
    assert EVAN not in edited(client, paul, email=EVAN).replace(f'value="{EVAN}"', "")
