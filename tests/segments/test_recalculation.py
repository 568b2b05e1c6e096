"""Calculated segments follow their conditions, with their histories, whatever goes on meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from customers.history.reading import history
from customers.models import Change, Customer, CustomField, Operation
from customers.privacy.erasure import erase
from customers.redis import waking
from customers.setup.project_config import project_config
from customers.storage.transactions import Contended
from segments import recalculation, saving
from segments.models import Membership, Recalculation, Segmentation, States
from segments.recalculation import ask, ask_for_all, run_waiting
from tests.segments.segmentations import ANYBODY, MEN, WOMEN, members, people, recalculate, segmentation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "wake", lambda *_, **__: True)


def told(customer: int) -> list[str]:
    return [item["sentence"] for item in history([customer], labels=project_config().labels).items]


def test_who_meets_the_condition_enters_and_who_no_longer_does_leaves() -> None:
    people(["male", "female", "male", None])
    sexes = segmentation("sexes", men=MEN, women=WOMEN)
    first = recalculate(sexes)
    assert members() == {1: "men", 2: "women", 3: "men"}
    assert (first.state, first.due, first.processed, first.entered, first.left) == (States.DONE, 3, 3, 3, 0)
    Customer.objects.filter(pk=1).update(gender="female")
    Customer.objects.filter(pk=2).update(gender=None)
    second = recalculate(sexes)
    assert members() == {1: "women", 3: "men"}
    assert (second.entered, second.left) == (1, 2)
    assert told(1) == ["Went from segment men to women of sexes.", "Is in segment men of sexes."]
    assert told(2) == ["Left segment women of sexes.", "Is in segment women of sexes."]
    assert {o.kind for o in Operation.objects.all()} == {"recalculate"}


def test_of_several_segments_the_one_with_the_highest_id_wins() -> None:
    people(["male", None])
    recalculate(segmentation("both", all=ANYBODY, men=MEN, nobody_yet=None))
    assert members() == {1: "men", 2: "all"}


def test_who_stays_keeps_the_date_of_entry_and_has_no_new_history() -> None:
    people(["male"])
    sexes = segmentation("sexes", men=MEN)
    recalculate(sexes)
    since, changes = Membership.objects.get().since, Change.objects.count()
    assert recalculate(sexes).due == 0
    assert (Membership.objects.get().since, Change.objects.count()) == (since, changes)


def test_many_customers_take_several_batches_and_the_same_statements_each(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(recalculation, "AT_ONCE", 100)
    people(["male"] * 250)
    sexes = segmentation("sexes", men=MEN)
    with django_assert_max_num_queries(65):
        assert recalculate(sexes).entered == 250
    assert Operation.objects.count() == 3


def test_a_segmentation_is_recalculated_after_those_it_refers_to() -> None:
    people(["male", None])
    inside = {"all": [{"type": "segment", "segment": "zz_first/men"}]}
    segmentation("aa_last", followers=inside)
    segmentation("zz_first", men=MEN)
    ask_for_all()
    run_waiting()
    assert set(Membership.objects.values_list("customer", "segment__system_name")) == {
        (1, "men"),
        (1, "followers"),
    }


def test_a_condition_that_refers_to_something_deleted_matches_nobody_and_is_reported() -> None:
    people(["male", "female"])
    CustomField.objects.create(system_name="size", name="Size", type="integer")
    gone = {"type": "custom_field", "field": "size", "op": "known"}
    sexes = segmentation("sexes", without={"none": [gone]}, either={"any": [gone, *MEN["all"]]})
    recalculate(sexes)
    assert members() == {1: "either", 2: "without"}
    CustomField.objects.all().delete()
    done = recalculate(sexes)
    assert members() == {1: "either"}
    assert {w["segment"] for w in done.warnings} == {"without", "either"}
    assert "size" in done.warnings[0]["fault"]


def test_asked_for_twice_before_it_began_it_is_done_once() -> None:
    sexes = segmentation("sexes", men=MEN)
    assert ask(sexes) == ask(sexes)
    run_waiting()
    assert ask(sexes).state == States.WAITING
    assert Recalculation.objects.count() == 2


def test_a_failure_is_told_without_values_and_hinders_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    people(["male"])
    broken, whole = segmentation("broken", men=MEN), segmentation("whole", men=MEN)
    plan_of = recalculation.plan_of

    def failing(of: Segmentation, at: datetime) -> Any:
        if of == broken:
            raise ValueError("ann@example.com")
        return plan_of(of, at)

    monkeypatch.setattr(recalculation, "plan_of", failing)
    ask(broken)
    ask(whole)
    run_waiting()
    failed, done = (Recalculation.objects.get(segmentation=s) for s in (broken, whole))
    assert (failed.state, failed.error) == (States.FAILED, "ValueError")
    assert done.state == States.DONE


def test_an_interrupted_recalculation_is_begun_again_and_does_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker died after its first batch: what is left behind is a row that says it runs."""
    monkeypatch.setattr(recalculation, "AT_ONCE", 2)
    people(["male"] * 5)
    sexes = segmentation("sexes", men=MEN)
    asked, written = ask(sexes), list[bool]()
    write = recalculation.write_batch

    class Killed(BaseException):
        pass

    def once(*arguments: Any) -> None:
        if written:
            raise Killed
        write(*arguments)
        written.append(True)

    monkeypatch.setattr(recalculation, "write_batch", once)
    with pytest.raises(Killed):
        run_waiting()
    asked.refresh_from_db()
    assert (asked.state, len(members())) == (States.RUNNING, 2)
    monkeypatch.setattr(recalculation, "write_batch", write)
    run_waiting()
    asked.refresh_from_db()
    assert (asked.state, asked.entered, len(members())) == (States.DONE, 5, 5)
    assert Change.objects.count() == 5


def test_a_batch_that_loses_a_race_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    people(["male"])
    losses = iter([True, True, False])
    save = saving.save

    def losing(batch: Any) -> None:
        save(batch)
        if next(losses):
            raise Contended

    monkeypatch.setattr(saving, "save", losing)
    done = recalculate(segmentation("sexes", men=MEN))
    assert (done.state, done.entered, Change.objects.count()) == (States.DONE, 1, 1)


def test_who_was_merged_or_erased_meanwhile_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between finding who differs and writing it."""
    people(["male", "male", "male"])
    differing = recalculation.differing

    def meanwhile(plan: Any) -> Any:
        found = differing(plan)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE customers_customer SET profile_id = 1 WHERE id = 2")
        erase(3, actor="system")
        return found

    monkeypatch.setattr(recalculation, "differing", meanwhile)
    done = recalculate(segmentation("sexes", men=MEN))
    assert members() == {1: "men"}
    assert (done.state, done.due, done.entered) == (States.DONE, 3, 1)
