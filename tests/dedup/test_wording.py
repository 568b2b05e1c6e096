"""What the decisions' tables say reaches all who show it: pages, notes, histories, the API's description."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from customers import words
from dedup import wording
from dedup.engine.priority import CRITERIA
from dedup.engine.reasons import Reason
from dedup.engine.remedies import Remedy
from dedup.engine.survivorship import SURVIVORSHIP
from dedup.engine.vetoes import RULES, VETOES
from dedup.engine.warnings import RecordWarning, WarningCode
from dedup.models import Merge


@pytest.fixture(scope="module")
def schemas() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)["components"]["schemas"]


def enum(schemas: Any, component: str, field: str) -> list[str]:
    """The values a field may have, by the API's description."""
    shown = schemas[component]["properties"][field]
    options = [shown, *shown.get("oneOf", ()), *shown.get("allOf", ())]
    names = [option["$ref"].rsplit("/", 1)[1] for option in options if "$ref" in option]
    found = [value for option in (*options, *map(schemas.get, names)) for value in option.get("enum", ())]
    return [value for value in found if value is not None]


def test_every_criterion_is_worded_for_pages_notes_and_histories() -> None:
    """R29, R30"""
    assert words.criteria() == {criterion.name for criterion in CRITERIA}
    for criterion in CRITERIA:
        assert wording.criterion_sentence(criterion.name) == criterion.sentence
        assert words.why_priority(criterion.name) == criterion.because
        said = words.why_held(criterion.name, "customer 7")
        assert said == criterion.keeps_because % {"customer": "customer 7"}


def test_every_veto_is_worded_with_what_would_help() -> None:
    """R22, R28"""
    assert wording.veto_choices() == [(rule.name, rule.sentence) for rule in VETOES]
    for rule in VETOES:
        assert wording.veto_sentence(rule.name) == rule.sentence
        assert wording.veto_remedy(rule.name) == rule.remedy.sentence_for_staff
        assert wording.is_overridable(rule.name) == rule.is_overridable
    assert [name for name in RULES if wording.is_overridable(name)] == [
        "different_emails",
        "different_phones",
    ]
    assert [wording.remedy_sentence(remedy) for remedy in Remedy] == [remedy.sentence for remedy in Remedy]


def test_every_policy_is_worded() -> None:
    """R34"""
    for policy in SURVIVORSHIP:
        assert wording.policy_sentence(policy.field) == policy.sentence


def test_every_reason_is_worded_and_may_be_stored() -> None:
    """R41"""
    choices = Merge._meta.get_field("reason").choices
    assert choices == [(reason.value, reason.label) for reason in Reason]
    for reason in Reason:
        assert words.why_same_person(reason.value, "E-mail x") == reason.because % {"matched": "E-mail x"}
    assert words.why_same_person(Reason.MATCHED_EXACTLY, "") == "they share an identifier"


def test_the_description_of_the_api_names_them_all(schemas: Any) -> None:
    """R22, R29, R41"""
    criteria = [criterion.name for criterion in CRITERIA]
    assert enum(schemas, "Criterion", "name") == criteria
    assert enum(schemas, "Priority", "decided_by") == criteria
    assert enum(schemas, "Conflict", "decided_by") == criteria
    assert enum(schemas, "Veto", "name") == list(RULES)
    assert enum(schemas, "Remedy", "name") == list(Remedy)
    assert enum(schemas, "Merged", "reason") == list(Reason)


def test_every_warning_has_a_label_and_a_sentence_into_which_its_values_go() -> None:
    """R12, R57"""
    told = {"message": "It is no date.", "number": "A-1", "retry_at": "10:30"}
    for code in WarningCode:
        assert code.label[0].isupper()
        warning = RecordWarning(code, "email", ("personal.first_name", "time_zone"), told)
        assert "%" not in wording.warning_sentence(warning)
    blocked = RecordWarning(WarningCode.BLOCKED_VALUE, "email")
    assert wording.warning_sentence(blocked) == "email is on the block list and was left out."


def test_what_is_answered_of_a_warning_keeps_its_code(schemas) -> None:
    assert enum(schemas, "Warning", "code") == list(WarningCode)
