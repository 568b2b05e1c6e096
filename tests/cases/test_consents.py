"""What files say of subscriptions, in the words of the usual tools. A yes means what the name says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cases.conftest import Done, Files


def statuses(done: Done, **identifier: Any) -> dict[str, str]:
    """By channel, with the topic behind it."""
    return {
        ".".join(filter(None, (s["channel"], s["topic"]))): s["status"]
        for s in done.customer(**identifier)["subscriptions"]
    }


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("HasOptedOutOfEmail", "1", {"email": "unsubscribed"}),
        ("Email Opt Out", "1", {"email": "unsubscribed"}),
        ("Email Opt Out", "true", {"email": "unsubscribed"}),
        ("Email Opt Out", "0", {}),
        ("Email Opt Out", "", {}),
        ("Unsubscribed from all email", "true", {"email": "unsubscribed"}),
        ("Do Not Call", "1", {"call": "unsubscribed"}),
        ("SMS opt-out", "yes", {"sms": "unsubscribed"}),
        ("unsubscribed.sms", "opted out", {"sms": "unsubscribed"}),
        ("Unsubscribed", "yes", {"email": "unsubscribed"}),
        ("subscribed_to_emails", "false", {"email": "unsubscribed"}),
        ("Email Marketing Consent", "NEVER_SUBSCRIBED", {}),
        ("SMS Marketing Consent", "UNSUBSCRIBED", {"sms": "unsubscribed"}),
        ("SMS Marketing Consent", "SUBSCRIBED", {"sms": "subscribed"}),
        ("Newsletter", "ja", {"email": "subscribed"}),
        ("Newsletter", "N/A", {}),
        ("IsSubscribedByEmail", "blocklisted", {"email": "unsubscribed"}),
        ("IsSubscribedByEmail", "cleaned", {}),
        ("IsSubscribedByEmail: News", "yes", {"email.news": "subscribed"}),
    ],
)
def test_a_column_of_consents(files: Files, column: str, cell: str, expected: dict[str, str]) -> None:
    done = files.send(f"crm_id,email,{column}\nS-1,co.one@example.com,{cell}\n")
    assert done.outcomes == ["created"]
    assert statuses(done, crm_id="S-1") == expected


def test_what_is_no_status_is_refused(files: Files) -> None:
    done = files.send("crm_id,Newsletter,Email Opt Out\nS-1,perhaps,\nS-2,,perhaps\n")
    assert done.outcomes == ["validation_error", "validation_error"]


@pytest.mark.parametrize("column", ["opted_out", "Do not contact", "Opted out"])
def test_opted_out_of_everything(files: Files, column: str) -> None:
    """R53"""
    files.shop.website.subscribe(
        email="all@example.com", subscriptions=[{"channel": "email", "topic": "news", "status": "subscribed"}]
    )
    rows = "all@example.com,yes\nelse@example.com,no\n"
    done = files.send(f"email,{column}\n{rows}", lookup_by=["email"])
    assert statuses(done, email="all@example.com")["email.news"] == "unsubscribed"
    assert statuses(done, email="else@example.com") == {}
    again = files.send("email,Newsletter\nall@example.com,yes\n", lookup_by=["email"])
    assert statuses(again, email="all@example.com")["email"] == "unsubscribed"
    assert again.told["counts"]["kept_unsubscribed"] == 1


def test_listmonk(files: Files) -> None:
    done = files.send(
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        "6f,li.one@example.com,Liv Munk,{},blocklisted,2024-01-05T10:00:00Z,2024-01-05T10:00:00Z\n"
        "7f,li.two@example.com,Lu Munk,{},enabled,2024-01-05T10:00:00Z,2024-01-05T10:00:00Z\n"
    )
    assert statuses(done, email="li.one@example.com") == {"email": "unsubscribed"}
    assert statuses(done, email="li.two@example.com") == {"email": "subscribed"}
    assert done.customer(email="li.one@example.com")["personal"]["last_name"] == "Munk"


def test_mailchimp(files: Files) -> None:
    header = (
        "Email Address,First Name,Last Name,Phone Number,Birthday,MEMBER_RATING,OPTIN_TIME,UNSUB_TIME,TAGS\n"
    )
    done = files.send(
        header
        + 'mi.one@example.com,Mia,Chimp,,12/31,2,2021-01-01 10:00:00,2023-01-01 10:00:00,"""vip"",""x"""\n'
        "mi.two@example.com,Max,Chimp,,,2,2021-01-01 10:00:00,,\n"
    )
    assert done.outcomes == ["created", "created"]
    (left,) = done.customer(email="mi.one@example.com")["subscriptions"]
    assert (left["status"], left["since"]) == ("unsubscribed", "2023-01-01T10:00:00+00:00")
    (stayed,) = done.customer(email="mi.two@example.com")["subscriptions"]
    assert (stayed["status"], stayed["since"]) == ("subscribed", "2021-01-01T10:00:00+00:00")
    assert done.customer(email="mi.one@example.com")["custom_fields"] == {"a_list": ["vip", "x"]}


def test_a_crm_with_both_phones_and_refusals(files: Files) -> None:
    done = files.send(
        "Contact ID,Salutation,First Name,Last Name,Phone,Mobile,Email,Email Opt Out,Do Not Call,Birthdate\n"
        "0037g00000AbCdE,Ms.,Sara,Ford,(415) 555-0103,(415) 555-0816,sa.one@example.com,1,1,12/31/1991\n"
    )
    customer = done.customer(crm_id="0037g00000AbCdE")
    assert statuses(done, email="sa.one@example.com") == {"email": "unsubscribed", "call": "unsubscribed"}
    assert [phone["value"] for phone in customer["mobile_phones"]] == ["+14155550816"]
    assert customer["personal"]["birth_date"] == "1991-12-31"


def test_a_whole_file_can_be_given_one_status(files: Files) -> None:
    done = files.send(
        "email,UNSUB_TIME\nw1@example.com,2023-01-01 10:00:00\nw2@example.com,\n",
        subscriptions={"email": "unsubscribed", "sms.news": "unsubscribed"},
        mapping={"UNSUB_TIME": "subscriptions.email.since"},
    )
    expected = {"email": "unsubscribed", "sms.news": "unsubscribed"}
    assert statuses(done, email="w1@example.com") == statuses(done, email="w2@example.com") == expected
    since = {s["channel"]: s["since"] for s in done.customer(email="w1@example.com")["subscriptions"]}
    assert since["email"] == "2023-01-01T10:00:00+00:00"


def test_a_column_says_more_than_the_file_as_a_whole(files: Files) -> None:
    done = files.send(
        "email,Newsletter\nw1@example.com,no\nw2@example.com,\n", subscriptions={"email": "subscribed"}
    )
    assert statuses(done, email="w1@example.com") == {"email": "unsubscribed"}
    assert statuses(done, email="w2@example.com") == {"email": "subscribed"}


@pytest.mark.parametrize("wrong", [{"fax": "unsubscribed"}, {"email": "maybe"}, ["email"], "email"])
def test_a_status_for_a_whole_file_is_one_of_a_channel(files: Files, wrong: Any) -> None:
    status, problem = files.post(b"email\na@example.com\n", subscriptions=wrong)
    assert (status, problem["errors"][0]["path"]) == (400, "options.subscriptions")


def test_after_an_opt_out_the_nightly_file_changes_no_status(files: Files) -> None:
    """R56"""
    maestra_id = files.shop.website.register(email="oo@example.com").id
    files.shop.admin.post(f"customers/{maestra_id}/opt_out/", {})
    before = files.shop.customer(maestra_id)["subscriptions"]
    done = files.send("email,IsSubscribedByEmail\noo@example.com,yes\n", lookup_by=["email"])
    assert done.customer(email="oo@example.com")["subscriptions"] == before
    assert done.told["counts"]["kept_unsubscribed"] == 1
    assert done.rows[0]["reason"]


def test_erased_persons_do_not_come_back_with_the_order_file(files: Files) -> None:
    """R54"""
    file = "order_number,total,placed_at,email\nOE-7,25.00,2025-02-01T10:00:00Z,oe@example.com\n"
    first = files.send(file, kind="orders")
    maestra_id = first.customer(email="oe@example.com")["maestra_id"]
    assert files.shop.admin.delete(f"customers/{maestra_id}/").status == 204
    again = files.send(file.replace("OE-7", "OE-8"), kind="orders")
    assert again.outcomes == ["erased_person"]
    assert files.shop.crm_import.finds(email="oe@example.com") is None
