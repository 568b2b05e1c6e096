"""Static members by hand and by API, exports, the live count, and the set-up file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError
from django.test import Client
from django.urls import reverse

from customers.models import Change, Operation
from customers.redis import waking
from segments.admin import segments as pages
from segments.models import Membership, Segment
from tests.scenarios.api import ACCESS, ALL_SCOPES, ANN, BOB, EVE, PHONE, segment
from tests.staff import levels

SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "wake", lambda *_, **__: True)


def number(name: str) -> int:
    return Segment.objects.get(system_name=name).pk


def members(name: str) -> set[int]:
    return set(Membership.objects.filter(segment=number(name)).values_list("customer", flat=True))


def test_customers_are_put_in_and_taken_out_by_any_identifier(project: Any) -> None:
    shop = project()
    ann = shop.website.register(email=ANN, segments=[segment("loyalty", "level_2")]).id
    bob = shop.website.register(email=BOB, mobile_phone=PHONE).id
    path = f"segments/{number('level_1')}/customers/"
    body = {"put_in": [{"email": ANN}, {"mobile_phone": PHONE}, {"email": EVE}, {"maestra_id": ann}]}
    assert shop.website.post(path, body).body == {"put_in": 2, "taken_out": 0, "not_found": ["put_in[2]"]}
    assert (members("level_1"), members("level_2")) == ({ann, bob}, set())
    assert shop.website.post(path, body).body["put_in"] == 0
    out = {"take_out": [{"maestra_id": bob}]}
    assert shop.website.post(path, out).body == {"put_in": 0, "taken_out": 1, "not_found": []}
    assert members("level_1") == {ann}
    assert [e["sentence"] for e in shop.history(bob, "segment")] == [
        "Is in segment level_1 of loyalty.",
        "Left segment level_1 of loyalty.",
    ]
    assert {c["maestra_id"] for c in shop.pages(path)} == {ann}


def test_a_point_puts_in_only_whom_it_can_see(project: Any) -> None:
    """R20: through a point where e-mails give account access, others are not found."""
    shop = project(pos={"email": ACCESS})
    shop.website.register(email=ANN)
    answer = shop.pos.post(f"segments/{number('level_1')}/customers/", {"put_in": [{"email": ANN}]})
    assert answer.body == {"put_in": 0, "taken_out": 0, "not_found": ["put_in[0]"]}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ""),
        ({"put_in": []}, "put_in"),
        ({"put_in": [{"email": "nonsense"}]}, "put_in[0].email"),
        ({"put_in": [{"maestra_id": 1}], "x": 1}, "x"),
    ],
)
def test_a_faulty_request_changes_nobody(project: Any, body: dict[str, Any], path: str) -> None:
    shop = project()
    answer = shop.website.post(f"segments/{number('level_1')}/customers/", body)
    assert (answer.status, answer.body["errors"][0]["path"]) == (400, path)


def test_members_of_a_calculated_segment_are_not_put_in(project: Any) -> None:
    condition = {"all": [{"type": "identified"}]}
    known = [{"system_name": "all", "condition": condition}]
    shop = project(segmentations=[{"system_name": "known", "kind": "calculated", "segments": known}])
    ann = shop.website.register(email=ANN).id
    answer = shop.website.post(f"segments/{number('all')}/customers/", {"put_in": [{"maestra_id": ann}]})
    assert (answer.status, answer.body["code"]) == (400, "validation_error")
    assert not Membership.objects.exists()


def test_a_segment_that_does_not_exist_and_a_key_that_may_only_read_are_refused(project: Any) -> None:
    shop = project(website={"scopes": [s for s in ALL_SCOPES if s != "write"]})
    body = {"put_in": [{"maestra_id": 1}]}
    assert shop.pos.post(f"segments/{2**63}/customers/", body).body["code"] == "not_found"
    assert shop.website.post(f"segments/{number('level_1')}/customers/", body).status == 403


def test_by_hand_a_customer_is_put_in_and_taken_out_in_the_admin(project: Any, signed_in: SignIn) -> None:
    shop = project()
    ann = shop.website.register(email=ANN).id
    client = signed_in("Marketer")
    put_in = reverse("admin:segments_put_in", args=[number("level_1")])
    assert levels(client.post(put_in, {"customer": BOB}, follow=True)) == ["error"]
    assert members("level_1") == set()
    assert levels(client.post(put_in, {"customer": ANN.upper()}, follow=True)) == ["success"]
    assert members("level_1") == {ann}
    listed = reverse("admin:segments_membership_changelist")
    picked = {"action": "take_out", "_selected_action": str(Membership.objects.get().pk)}
    assert levels(client.post(listed, picked, follow=True)) == ["success"]
    assert members("level_1") == set()
    assert Operation.objects.filter(actor="user:Marketer").count() == 2


def test_by_hand_a_customer_is_found_by_name_too(project: Any, signed_in: SignIn) -> None:
    shop = project()
    ann = shop.website.register(email=ANN, personal={"first_name": "José", "last_name": "Ortiz Müller"}).id
    shop.website.register(email=BOB, personal={"first_name": "Josefa", "last_name": "Meyer"})
    client, put_in = signed_in("Marketer"), reverse("admin:segments_put_in", args=[number("level_1")])
    assert levels(client.post(put_in, {"customer": "jose"}, follow=True)) == ["error"]
    assert members("level_1") == set()
    assert levels(client.post(put_in, {"customer": "Muller, Jose"}, follow=True)) == ["success"]
    listed = reverse("admin:segments_membership_changelist")
    for text, found in (("muller", [ann]), ("josefa", [])):
        rows = client.get(listed, {"q": text}).context["cl"].result_list
        assert [row.customer_id for row in rows] == found


def test_who_may_only_look_puts_nobody_in(project: Any, signed_in: SignIn) -> None:
    shop = project()
    shop.website.register(email=ANN)
    client = signed_in("Viewer")
    assert (
        client.post(reverse("admin:segments_put_in", args=[number("level_1")]), {"customer": ANN}).status_code
        == 403
    )
    count = reverse("admin:segments_count")
    assert client.post(count, {"nodes": []}, "application/json").status_code == 200
    assert client.post(count, {"nodes": {}}, "application/json").status_code == 400


def test_the_members_are_taken_away_as_a_file_that_a_spreadsheet_does_not_run(
    project: Any, signed_in: SignIn
) -> None:
    shop = project()
    formula = {"first_name": "=1+1", "last_name": "Lee"}
    shop.website.register(email=ANN, personal=formula, segments=[segment("loyalty", "level_1")])
    shop.website.register(email=BOB)
    address = reverse("admin:segments_segment_export", args=[number("level_1")])
    response = signed_in("Marketer").get(address)
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert len(text.splitlines()) == 2
    assert ANN in text
    assert "'=1+1" in text
    assert signed_in("Viewer").get(address).status_code == 403


def test_a_count_that_takes_too_long_is_given_up(
    project: Any, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    project()

    def slow(*_arguments: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(pages, "count", slow)
    nodes = [{"type": "identified"}, {"type": "identifier", "kind": "gone"}]
    answer = signed_in().post(reverse("admin:segments_count"), {"nodes": nodes}, "application/json").json()
    assert answer["slow"]
    assert [node["count"] for node in answer["nodes"]] == [None, 0]
    assert "gone" in answer["nodes"][1]["faults"][0]


def test_the_form_refuses_a_circle_and_what_it_cannot_read(project: Any, signed_in: SignIn) -> None:
    def of(name: str) -> dict[str, Any]:
        return {"type": "segment", "segment": name}

    made = [{"system_name": "s", "condition": {"all": [{"type": "identified"}]}}]
    other = [{"system_name": "s", "condition": {"all": [of("one/s")]}}]
    project(
        segmentations=[
            {"system_name": "one", "kind": "calculated", "segments": made},
            {"system_name": "two", "kind": "calculated", "segments": other},
        ]
    )
    one = Segment.objects.get(segmentation__system_name="one")
    page, client = reverse("admin:segments_segment_change", args=[one.pk]), signed_in("Marketer")
    for condition, fact in (
        ('{"all": [{"type": "segment", "segment": "two/s"}]}', "one → two → one"),
        ('{"all": [{"type": "nonsense"}]}', "all[0].type: "),
        ('{"all": [{"type": "identifier", "kind": "gone"}]}', "all[0].kind: "),
        ("{", ""),
    ):
        form = client.post(page, {"name": "One", "condition": condition}).context["adminform"].form
        assert form.errors.keys() == {"condition"}
        assert fact in form.errors["condition"][0]
    assert Segment.objects.get(pk=one.pk).condition == {"version": 1, "all": [{"type": "identified"}]}


def test_the_set_up_file_declares_conditions_and_names_what_is_wrong_with_them(project: Any) -> None:
    def declared(kind: str, **conditions: Any) -> dict[str, Any]:
        segments = [{"system_name": name, "condition": condition} for name, condition in conditions.items()]
        return {"segmentations": [{"system_name": "x", "kind": kind, "segments": segments}]}

    of_crm = {"any": [{"type": "identifier", "kind": "crm_id"}]}
    shop = project(**declared("calculated", a=of_crm))
    assert Segment.objects.get().condition == {"version": 1, **of_crm}
    incomplete, gone = {"type": "age", "op": "at_least"}, {"type": "identifier", "kind": "no"}
    circular = {"type": "segment", "segment": "x/a"}
    for condition, fault in (
        (incomplete, "segments[0].condition.all[0].value: "),
        (gone, "condition.all[0].kind: "),
        (circular, "x → x"),
    ):
        with pytest.raises(CommandError, match="Nothing was changed") as refused:
            shop.configure(**declared("calculated", a={"all": [condition]}))
        assert fault in str(refused.value)


def test_a_static_segment_has_no_condition(project: Any) -> None:
    segments = [{"system_name": "a", "condition": {"all": [{"type": "opted_out"}]}}]
    with pytest.raises(CommandError, match=r"segments\[0\]\.condition: "):
        project(segmentations=[{"system_name": "x", "kind": "static", "segments": segments}])


def test_a_condition_that_lost_its_referent_says_so_on_its_page(project: Any, signed_in: SignIn) -> None:
    known = [{"system_name": "all", "condition": {"all": [{"type": "identified"}]}}]
    project(segmentations=[{"system_name": "known", "kind": "calculated", "segments": known}])
    gone = {"version": 1, "all": [{"type": "registered_through", "point": "closed"}]}
    Segment.objects.update(condition=gone)
    page = signed_in().get(reverse("admin:segments_segment_change", args=[number("all")]))
    assert ["“closed”" in problem for problem in page.context["problems"]] == [True]
    assert page.context["problems"][0] in page.content.decode()
    assert Change.objects.count() == 0
