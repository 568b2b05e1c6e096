"""Set-up as code: declared again and again, wholly or not at all."""

import json
import stat
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.utils import timezone

from customers.models import (
    ApiKey,
    BlockedValue,
    CustomField,
    IdentifierKind,
    IntegrationPoint,
    ProjectSettings,
)
from customers.setup.integration_points import access_of, digest
from segments.models import Segment, Segmentation

pytestmark = pytest.mark.django_db

WHOLE = """
    settings: {default_region: DE, shared_device_limit: 3, suppression_list: false}
    identifier_kinds:
      - {system_name: crm_id, name: CRM ID, unique: true, do_not_merge_different: true}
      - {system_name: session_key, name: Session key, unique: false}
    custom_fields:
      - {system_name: shoe_size, name: Shoe size, type: integer, merge: larger}
      - {system_name: colours, name: Colours, type: list}
    integration_points:
      - system_name: website
        name: Website
        kind: website
        personal_actions: true
        lookup_by: [maestra_id, crm_id, email]
        contacts:
          email: {must_be_confirmed: true, gives_account_access: false}
          mobile_phone: {gives_account_access: true}
          discount_card: {gives_account_access: true}
        scopes: [write, read, merge]
      - {system_name: crm, kind: crm, personal_actions: false, enabled: false}
    segmentations:
      - system_name: loyalty
        name: Loyalty
        kind: static
        segments: [{system_name: silver}, {system_name: gold, name: Gold}]
    block_list:
      - {type: email, value: "x@y.example"}
      - {type: crm_id, pattern: "^test"}
"""
POINT = "integration_points: [{system_name: website, kind: website}]"


TABLES: tuple[type[Model], ...] = (
    IdentifierKind,
    CustomField,
    IntegrationPoint,
    ApiKey,
    BlockedValue,
    Segmentation,
    Segment,
    ProjectSettings,
)


class Project:
    """A set-up file and its keys file."""

    def __init__(self, folder: Path) -> None:
        self.setup = folder / "setup.yaml"
        self.keys = folder / "keys.json"

    def configure(self, text: str, **options: str) -> None:
        self.setup.write_text(dedent(text))
        call_command("configure", str(self.setup), verbosity=0, **options)

    def key(self, text: str = POINT, point: str = "website") -> str:
        self.configure(text, keys=str(self.keys))
        return str(json.loads(self.keys.read_text())[point])

    def faults(self, text: str, **options: str) -> list[str]:
        before = everything()
        with pytest.raises(CommandError) as refused:
            self.configure(text, **options)
        assert everything() == before
        return str(refused.value).splitlines()[1:]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def everything() -> list[list[Any]]:
    return [list(model._default_manager.order_by("pk").values()) for model in TABLES]


def scopes_of(key: str) -> set[str]:
    """What a key may do; nothing where it is refused."""
    access = access_of(key, timezone.now())
    return set(access.scopes) if access else set()


def test_a_file_declares_a_whole_project(project: Project) -> None:
    project.configure(WHOLE)
    settings = ProjectSettings.objects.get()
    assert (settings.default_region, settings.shared_device_limit, settings.suppression_list) == (
        "DE",
        3,
        False,
    )
    kinds = IdentifierKind.objects.filter(id__gte=100)
    assert list(
        kinds.order_by("id").values_list("system_name", "name", "category", "do_not_merge_different")
    ) == [
        ("crm_id", "CRM ID", "unique", True),
        ("session_key", "Session key", "identifier", False),
    ]
    assert list(
        CustomField.objects.order_by("system_name").values_list("system_name", "name", "type", "merge")
    ) == [
        ("colours", "Colours", "list", "priority"),
        ("shoe_size", "Shoe size", "integer", "larger"),
    ]
    website = IntegrationPoint.objects.values().get(system_name="website")
    assert {name: value for name, value in website.items() if name != "id"} == {
        "system_name": "website",
        "name": "Website",
        "kind": "website",
        "is_enabled": True,
        "personal_actions": True,
        "lookup_by": ["maestra_id", "crm_id", "email"],
        "must_be_confirmed": ["email"],
        "gives_access": ["mobile_phone", "discount_card"],
        "default_scopes": ["write", "read", "merge"],
    }
    crm = IntegrationPoint.objects.get(system_name="crm")
    assert (crm.name, crm.is_enabled, crm.personal_actions) == ("Crm", False, False)
    assert crm.default_scopes == ["write", "read"]
    segments = Segment.objects.order_by("id").values_list("segmentation__system_name", "system_name", "name")
    assert list(segments) == [("loyalty", "silver", "Silver"), ("loyalty", "gold", "Gold")]
    assert BlockedValue.objects.filter(type="email", value="x@y.example", pattern="").exists()
    assert BlockedValue.objects.filter(type="crm_id", value="", pattern="^test").exists()


def test_declaring_the_same_again_changes_nothing(project: Project) -> None:
    project.configure(WHOLE, keys=str(project.keys))
    before, keys = everything(), project.keys.read_text()
    project.configure(WHOLE, keys=str(project.keys))
    # All but the settings row, whose version counts every write.
    assert (everything()[:-1], project.keys.read_text()) == (before[:-1], keys)


def test_only_what_is_named_is_changed(project: Project) -> None:
    project.configure(WHOLE)
    project.configure(
        "integration_points: [{system_name: website, contacts: {email: {gives_account_access: true}}}]"
    )
    website = IntegrationPoint.objects.get(system_name="website")
    assert website.name == "Website"
    assert website.must_be_confirmed == ["email"]
    assert website.gives_access == ["email", "mobile_phone", "discount_card"]
    assert ProjectSettings.objects.get().default_region == "DE"


def test_a_switch_can_be_turned_and_a_segment_added_later(project: Project) -> None:
    project.configure(WHOLE)
    project.configure(
        """
        identifier_kinds: [{system_name: crm_id, do_not_merge_different: false}]
        segmentations: [{system_name: loyalty, segments: [{system_name: platinum}]}]
        """
    )
    assert not IdentifierKind.objects.get(system_name="crm_id").do_not_merge_different
    names = Segment.objects.order_by("id").values_list("system_name", flat=True)
    assert list(names) == ["silver", "gold", "platinum"]


def test_an_empty_file_is_an_empty_set_up(project: Project) -> None:
    before = everything()
    project.configure("")
    assert everything() == before


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "- a list",
            "a mapping of keys to values is needed",
        ),
        (
            "setings: {}",
            'setings: unknown key "setings"; did you mean settings?',
        ),
        (
            "settings: {default_region: Germany}",
            "settings.default_region: Use the two letters of a country, as in US or DE.",
        ),
        (
            "settings: {default_region: ZZ}",
            "settings.default_region: Use the two letters of a country, as in US or DE.",
        ),
        (
            "integration_points: [{system_name: new, kind: website, scopes: []}]",
            "integration_points[0].scopes: name at least one",
        ),
        (
            "settings: {shared_device_limit: 0}",
            "settings.shared_device_limit: write a whole number from 1 to 1000, not 0",
        ),
        (
            "settings: {shared_device_limit: true}",
            "settings.shared_device_limit: write a whole number from 1 to 1000, not true",
        ),
        (
            "identifier_kinds: {crm_id: {}}",
            "identifier_kinds: a list is needed",
        ),
        (
            "identifier_kinds: [{name: X, unique: true}]",
            "identifier_kinds[0].system_name: it is missing",
        ),
        (
            "identifier_kinds: [{system_name: crm}]",
            "identifier_kinds[0].unique: it is missing; a new entry needs it",
        ),
        (
            "identifier_kinds: [{system_name: email, unique: true}]",
            "identifier_kinds[0].system_name: email is a kind that every project has; use another name",
        ),
        (
            "identifier_kinds: [{system_name: crm_id, unique: false}]",
            "identifier_kinds[0].unique: it is true already and cannot be changed: define another kind",
        ),
        (
            "identifier_kinds: [{system_name: session_key, do_not_merge_different: true}]",
            "identifier_kinds[0].do_not_merge_different: only a unique kind has this switch",
        ),
        (
            "identifier_kinds: [{system_name: a, unique: true}, {system_name: a, unique: true}]",
            "identifier_kinds[1]: identifier_kinds[0] declares the same",
        ),
        (
            "custom_fields: [{system_name: size, type: number}]",
            'custom_fields[0].type: unknown value "number"; use one of: string, integer, decimal, '
            "boolean, date, datetime, list",
        ),
        (
            "custom_fields: [{system_name: shoe_size, type: string}]",
            'custom_fields[0].type: it is "integer" already and cannot be changed: define another field',
        ),
        (
            "custom_fields: [{system_name: hat, type: string, merge: larger}]",
            "custom_fields[0].merge: only a number can be larger than another",
        ),
        (
            "integration_points: [{system_name: tills}]",
            "integration_points[0].kind: it is missing; a new entry needs it",
        ),
        (
            "integration_points: [{system_name: tills, kind: point_of_sail}]",
            'integration_points[0].kind: unknown value "point_of_sail"; did you mean point_of_sale?',
        ),
        (
            "integration_points: [{system_name: website, name: 7}]",
            "integration_points[0].name: a text is needed, so put 7 in quotes",
        ),
        (
            "integration_points: [{system_name: website, lookup_by: [crm]}]",
            'integration_points[0].lookup_by[0]: unknown identifier kind "crm"; did you mean crm_id?',
        ),
        (
            "integration_points: [{system_name: website, lookup_by: [payment_card_hash]}]",
            "integration_points[0].lookup_by[0]: nobody is looked up by a payment card hash",
        ),
        (
            "integration_points: [{system_name: website, lookup_by: [email, email]}]",
            "integration_points[0].lookup_by[1]: email is named twice",
        ),
        (
            "integration_points: [{system_name: website, contacts: {fax: {}}}]",
            'integration_points[0].contacts.fax: unknown key "fax"; use one of: email, mobile_phone, '
            "discount_card",
        ),
        (
            "integration_points: [{system_name: website, contacts: {email: {gives_access: true}}}]",
            'integration_points[0].contacts.email.gives_access: unknown key "gives_access"; did you '
            "mean gives_account_access?",
        ),
        (
            "integration_points: [{system_name: website, contacts: {email: {must_be_confirmed: maybe}}}]",
            'integration_points[0].contacts.email.must_be_confirmed: write true or false, not "maybe"',
        ),
        (
            "integration_points: [{system_name: website, scopes: [everything]}]",
            'integration_points[0].scopes[0]: unknown value "everything"; use one of: write, read, '
            "merge, import, privacy, track",
        ),
        (
            "segmentations: [{system_name: loyalty, kind: calculated}]",
            'segmentations[0].kind: it is "static" already and cannot be changed: its members came by it',
        ),
        (
            "segmentations: [{system_name: loyalty, segments: [{system_name: a}, {system_name: a}]}]",
            "segmentations[0].segments[1]: segmentations[0].segments[0] declares the same",
        ),
        (
            "block_list: [{type: emial, value: x}]",
            'block_list[0].type: unknown identifier kind "emial"; did you mean email?',
        ),
        (
            "block_list: [{type: email}]",
            "block_list[0]: an entry has either a value or a pattern",
        ),
        (
            'block_list: [{type: email, pattern: "((("}]',
            "block_list[0].pattern: The pattern is not a valid regular expression. Try it on an "
            "example first.",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(project: Project, text: str, fault: str) -> None:
    project.configure(WHOLE)
    assert project.faults(text) == [f"  - {fault}"]


def test_one_fault_among_good_entries_stops_all_and_every_fault_is_named(project: Project) -> None:
    text = WHOLE.replace("unique: false", "unique: perhaps").replace("type: list", "type: lists")
    assert project.faults(text, keys=str(project.keys)) == [
        '  - identifier_kinds[1].unique: write true or false, not "perhaps"',
        '  - custom_fields[1].type: unknown value "lists"; did you mean list?',
    ]
    assert not project.keys.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("settings: {}\nsettings: {}", "settings is given twice"),
        ("settings: [", "is not YAML"),
        ("{a: 1}: 2", "is not YAML"),
    ],
)
def test_a_file_that_is_no_set_up_is_refused(project: Project, text: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        project.configure(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.yaml cannot be read: No such file"):
        call_command("configure", str(tmp_path / "nowhere.yaml"))


def test_keys_are_made_for_their_owner_alone(project: Project) -> None:
    key = project.key(WHOLE)
    assert scopes_of(key) == {"write", "read", "merge"}
    assert stat.S_IMODE(project.keys.stat().st_mode) == 0o600
    assert list(json.loads(project.keys.read_text())) == ["website", "crm"]


def test_without_a_keys_file_no_key_is_made(project: Project) -> None:
    project.configure(POINT)
    assert not ApiKey.objects.exists()


def test_keys_in_the_file_are_kept_and_missing_ones_added(project: Project) -> None:
    key = project.key()
    project.key("integration_points: [{system_name: app, kind: app}]", "app")
    assert json.loads(project.keys.read_text())["website"] == key
    assert (project.key(), ApiKey.objects.count()) == (key, 2)


def test_a_revoked_key_is_replaced(project: Project) -> None:
    key = project.key()
    ApiKey.objects.update(revoked_at=timezone.now())
    new = project.key()
    assert (scopes_of(key), scopes_of(new)) == (set(), {"write", "read"})


def test_a_key_handed_out_before_the_database_was_made_anew_works_again(project: Project) -> None:
    key = project.key()
    ApiKey.objects.all().delete()
    assert (project.key(), scopes_of(key)) == (key, {"write", "read"})


def test_other_scopes_of_a_point_are_given_to_its_key_in_the_file(project: Project) -> None:
    key = project.key()
    project.key("integration_points: [{system_name: website, scopes: [track]}]")
    assert scopes_of(key) == {"track"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", "it cannot be read"),
        ("[]", "it is not a mapping"),
        ('{"website": "secret"}', "website: this is no key"),
    ],
)
def test_a_keys_file_that_is_none_is_refused(project: Project, content: str, fault: str) -> None:
    project.keys.write_text(content)
    assert fault in project.faults(POINT, keys=str(project.keys))[0]
    assert project.keys.read_text() == content


def test_a_key_of_another_point_is_refused(project: Project) -> None:
    key = project.key()
    project.keys.write_text(json.dumps({"app": key}))
    faults = project.faults("integration_points: [{system_name: app, kind: app}]", keys=str(project.keys))
    assert "app: this key belongs to website" in faults[0]
    assert ApiKey.objects.get(digest=digest(key)).point.system_name == "website"
