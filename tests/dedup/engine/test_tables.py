"""Every criterion, veto, policy, remedy and reason says what is stored of it and what people are told.

What is stored never changes: the names are written out here once more.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dedup.engine.priority import ACCESS_BY_THIS_CONTACT, CRITERIA
from dedup.engine.reasons import Reason
from dedup.engine.remedies import Remedy
from dedup.engine.survivorship import SURVIVORSHIP
from dedup.engine.vetoes import RULES, VETOES

PROJECT = Path(__file__).resolve().parents[3]
RULEBOOK = (PROJECT / "dedup" / "RULES.md").read_text(encoding="utf-8")
RULE_NUMBER = re.compile(r"\bR\d+")

CRITERION_NAMES = [
    "access_by_this_contact",
    "this_contact_confirmed",
    "any_account_access",
    "orders",
    "any_confirmed_contact",
    "last_activity",
    "lower_maestra_id",
]
VETO_NAMES = [
    "apart",
    "different_unique_ids",
    "different_account_access",
    "different_emails",
    "different_phones",
]
REASON_NAMES = ["matched_exactly", "same_device", "payment_card", "api", "admin", "both_confirmed"]
REMEDY_NAMES = [
    "lift_apart",
    "allow_different_ids",
    "share_account_access",
    "name_resulting_customer",
    "share_a_value",
]


def test_what_is_stored_keeps_its_name():
    """R22, R29, R41"""
    assert [criterion.name for criterion in CRITERIA] == CRITERION_NAMES
    assert [rule.name for rule in VETOES] == VETO_NAMES
    assert [reason.value for reason in Reason] == REASON_NAMES
    assert [remedy.value for remedy in Remedy] == REMEDY_NAMES
    assert (list(RULES), ACCESS_BY_THIS_CONTACT.name) == (VETO_NAMES, "access_by_this_contact")


SENTENCES = [
    *((criterion.name, criterion.sentence) for criterion in CRITERIA),
    *((rule.name, rule.sentence) for rule in VETOES),
    *((policy.field, policy.sentence) for policy in SURVIVORSHIP),
    *((remedy.value, remedy.sentence) for remedy in Remedy),
    *((remedy.value, remedy.sentence_for_staff) for remedy in Remedy),
]


@pytest.mark.parametrize(("name", "sentence"), SENTENCES)
def test_people_are_told_a_whole_sentence(name, sentence):
    """R22, R29, R34"""
    assert sentence[:1].isupper()
    assert sentence.endswith(".")
    assert name not in sentence.split() or "_" not in name
    assert not RULE_NUMBER.search(sentence)


HALF_SENTENCES = [
    *((criterion.because, set()) for criterion in CRITERIA),
    *((criterion.keeps_because, {"customer"}) for criterion in CRITERIA),
    *((reason.because, {"matched"}) for reason in Reason if "%" in reason.because),
    *((reason.because, set()) for reason in Reason if "%" not in reason.because),
]


@pytest.mark.parametrize(("half", "words"), HALF_SENTENCES)
def test_what_follows_because_fits_into_a_sentence(half, words):
    """R29, R30, R41"""
    assert half[:1].islower() or half.startswith("%(")
    assert not half.endswith(".")
    assert set(re.findall(r"%\((\w+)\)s", half)) == words


@pytest.mark.parametrize("name", [*CRITERION_NAMES, *VETO_NAMES, *REASON_NAMES])
def test_the_rulebook_tells_what_is_stored(name):
    """R22, R29, R41"""
    assert f"`{name}`" in RULEBOOK


EXPLAINED = """
import sys
from datetime import UTC, datetime
from customers.profile import CONTACTS, Category, Holding, Key, Kind, Member, Profile
from dedup.engine.explain import explain
from dedup.engine.priority import CRITERIA
from dedup.engine.reasons import Reason
from dedup.engine.remedies import Remedy
from dedup.engine.survivorship import SURVIVORSHIP
from dedup.engine.vetoes import RULES, VETOES
from dedup.engine.world import World

for table in (CRITERIA, VETOES, SURVIVORSHIP, Remedy):
    for entry in table:
        print(entry.sentence)
for reason in Reason:
    print(reason.value, reason.label, reason.because)

now = datetime(2026, 1, 1, tzinfo=UTC)
def customer(maestra_id, email):
    held = Holding("email", email, Category.EMAIL, email, maestra_id, now)
    return Profile(maestra_id=maestra_id, members=(Member(maestra_id, now),), holdings={held.key: held})

one, two = customer(1, "ann@example.com"), customer(2, "bob@example.com")
kinds = {"email": Kind(1, "email", Category.EMAIL)}
world = World(kinds=kinds, profiles={1: one, 2: two}, primary_ids={1: 1, 2: 2})
found = explain(world, 1, 2)
print([(veto.name, RULES[veto.name].sentence) for veto in found.vetoes], found.priority)
print([(step.criterion, step.left, step.right, step.decides) for step in found.steps])
print([remedy.sentence for remedy in found.remedies])
print("django" in sys.modules)
"""


def told(*options: str) -> str:
    command = [sys.executable, *options, "-c", EXPLAINED]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return ran.stdout


def test_nothing_of_it_is_lost_where_python_leaves_out_the_docstrings():
    """R22, R29: and neither Django nor a database is needed to explain"""
    plain = told()
    assert told("-OO") == plain
    for _name, sentence in SENTENCES[: -len(Remedy)]:
        assert sentence in plain
    assert "('different_emails', 'They have different e-mail addresses.')] 1" in plain
    assert plain.endswith("False\n")
