"""Images in the merge journal outlive the release that wrote them: those of every version can be undone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

from customers.changes import CardSeen, Change, Decision, Merged, NoteAdded, Why
from customers.errors import ErrorCode, SelfsameError
from customers.models import Customer, CustomerFacts, Identifier, IdentifierKind, IntegrationPoint
from customers.profile import (
    UNDATED,
    Ages,
    Claim,
    Holding,
    Key,
    Member,
    Membership,
    Note,
    Personal,
    Profile,
    Subscription,
)
from customers.setup.integration_points import STAFF
from customers.storage.loading import load_profiles
from customers.transitions import diff, united
from dedup.engine.reasons import Reason
from dedup.models import Merge
from dedup.operations.base import Caller
from dedup.operations.merging import undo
from dedup.storage.profile_json import (
    UPGRADERS,
    VERSION,
    fields_json,
    from_fields,
    from_json,
    image_of,
    is_of_later_release,
    to_json,
    upgraded,
)
from segments.models import Segment, Segmentation
from tests.customers.storage.saving import record, save
from tests.dedup.storage import pair
from tests.dedup.storage.pair import ABSORBED, SURVIVOR, day

FOLDER = Path(__file__).parent / "images"
GOLDEN = {version: FOLDER / f"v{version}.json" for version in range(VERSION + 1)}
VERSION_WITH_AGES = 3
ANN = Caller(actor="user:ann", point=STAFF)
PARTS = {
    "members": Member,
    "holdings": Holding,
    "claims": Claim,
    "subscriptions": Subscription,
    "memberships": Membership,
    "notes": Note,
}
OF_KEY = {"subscriptions": {"key"}, "memberships": {"key"}}


def golden(version: int) -> dict[str, dict[str, Any]]:
    images: dict[str, dict[str, Any]] = json.loads(GOLDEN[version].read_text())
    return images


def objects(image: dict[str, Any]) -> Iterator[tuple[type, set[str]]]:
    """Every dataclass of an image, with the names it has there."""
    yield Profile, set(image) - {"version"}
    yield Personal, set(image["personal"])
    if "ages" in image:
        yield Ages, set(image["ages"])
    for name, of in PARTS.items():
        yield from ((of, set(entry) - OF_KEY.get(name, set())) for entry in image[name])


def with_ages_of(version: int, profile: Profile) -> Profile:
    """The profile with the ages that images of the version have."""
    return replace(profile, ages=UNDATED) if version < VERSION_WITH_AGES else profile


def as_of(version: int, profile: Profile) -> Profile:
    """The profile as far as images of the version tell it."""
    if version >= VERSION_WITH_AGES:
        return profile
    holdings = {key: replace(holding, used_at=None) for key, holding in profile.holdings.items()}
    return replace(with_ages_of(version, profile), holdings=holdings)


def given(of: Any) -> set[str]:
    return {f.name for f in fields(of) if f.init}


# --- Undone on the database ---------------------------------------------------------------------------------


def make_project() -> None:
    for kind in pair.KINDS.values():
        facts = {"system_name": kind.name, "name": kind.name, "category": kind.category}
        if kind.id >= 100:
            IdentifierKind.objects.create(id=kind.id, **facts)
    IntegrationPoint.objects.create(id=pair.POINT, system_name="shop", name="Shop", kind="website")
    for number, segments in pair.SEGMENTATIONS.items():
        segmentation = Segmentation.objects.create(id=number, system_name=f"s{number}", name="S")
        for segment in segments:
            Segment.objects.create(id=segment, segmentation=segmentation, system_name=f"s{segment}", name="S")


def make_customer(profile: Profile) -> None:
    for member in sorted(profile.members, key=lambda m: m.maestra_id != profile.maestra_id):
        Customer.objects.create(
            id=member.maestra_id, profile_id=profile.maestra_id, registered_at=member.registered_at
        )
        facts = {name: fact for name, fact in fields_of(member).items() if fact}
        if facts:
            CustomerFacts.objects.create(customer_id=member.maestra_id, **facts)
    save([record(*life(profile))], known_values())


def known_values() -> list[Key]:
    return [Key(*row) for row in Identifier.objects.values_list("kind__system_name", "value")]


def fields_of(member: Member) -> dict[str, Any]:
    own = given(Member) - {"maestra_id", "registered_at"}
    return {name: getattr(member, name) for name in own}


def life(profile: Profile) -> Iterator[Change]:
    primary_id = profile.maestra_id
    yield from diff(Profile(primary_id, profile.members), profile, primary_id, Why.RECORD)
    for card, origin in profile.cards.items():
        yield CardSeen(customer=primary_id, maestra_id=origin, card=card)
    for note in profile.notes:
        yield NoteAdded(customer=primary_id, maestra_id=note.maestra_id, note=note)


def merge_as(images: dict[str, dict[str, Any]]) -> int:
    """Bring the database to the state after the merge, with these images in its journal."""
    survivor, absorbed, result = (from_json(image) for image in images.values())
    merged = Merged(
        customer=survivor.maestra_id,
        maestra_id=survivor.maestra_id,
        survivor=survivor,
        absorbed=absorbed,
        result=result,
        decision=Decision(reason=Reason.API),
    )
    changes = diff(united(survivor, absorbed), result, survivor.maestra_id, Why.MERGE)
    (merge_id,) = save([record(merged, *changes)], known_values())
    Merge.objects.filter(pk=merge_id).update(**images)
    return merge_id


@pytest.fixture
def both(db: None) -> None:
    make_project()
    for profile in (SURVIVOR, ABSORBED):
        make_customer(profile)


def stored() -> list[Profile]:
    profiles = load_profiles([SURVIVOR.maestra_id, ABSORBED.maestra_id])
    return [profiles[SURVIVOR.maestra_id], profiles[ABSORBED.maestra_id]]


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("version", GOLDEN)
def test_a_merge_with_images_of_any_version_is_undone_to_the_last_digit(version):
    assert stored() == [SURVIVOR, ABSORBED]
    merge_id = merge_as(golden(version))
    assert list(load_profiles([SURVIVOR.maestra_id])) == [SURVIVOR.maestra_id]
    undo(ANN, merge_id)
    assert stored() == [with_ages_of(version, SURVIVOR), with_ages_of(version, ABSORBED)]


@pytest.mark.usefixtures("both")
def test_an_image_of_a_later_release_is_shown_and_not_undone():
    later = {name: {**image, "version": VERSION + 1} for name, image in golden(VERSION).items()}
    merge_id = merge_as(later)
    merged = stored_survivor()
    with pytest.raises(SelfsameError) as refused:
        undo(ANN, merge_id)
    assert (refused.value.code, refused.value.data["reasons"]) == (ErrorCode.MERGE_BLOCKED, ["later_release"])
    assert stored_survivor() == merged
    assert from_json(later["before_survivor"]) == SURVIVOR


def stored_survivor() -> Profile:
    return load_profiles([SURVIVOR.maestra_id])[SURVIVOR.maestra_id]


# --- What a new version needs -------------------------------------------------------------------------------


def test_there_are_golden_images_and_an_upgrader_of_every_version():
    """A new version: raise VERSION, write its golden images, and say how the one before becomes it."""
    assert sorted(FOLDER.glob("*.json")) == sorted(GOLDEN.values())
    assert set(UPGRADERS) == set(range(VERSION))


def test_what_is_written_has_the_shape_of_the_golden_images_of_this_version():
    """Otherwise the shape of a profile changed: raise VERSION."""
    now = json.loads(json.dumps(pair.images()))
    assert now == golden(VERSION), "python -m tests.dedup.storage.pair > tests/dedup/storage/images/v….json"


def test_the_pair_has_something_in_every_field():
    filled = {
        (of, f.name)
        for value in (SURVIVOR, ABSORBED)
        for of, entry in values(value)
        for f in fields(of)
        if getattr(entry, f.name) not in (f.default, None, {}, ())
    }
    everything = {(of, name) for of in (Profile, Personal, *PARTS.values()) for name in given(of)}
    assert everything - filled == {(Profile, "is_new")}  # which nothing stored is


def values(profile: Profile) -> Iterator[tuple[type, Any]]:
    yield from ((Profile, profile), (Personal, profile.personal))
    for name, of in PARTS.items():
        part = getattr(profile, name)
        yield from ((of, entry) for entry in (part if isinstance(part, tuple) else part.values()))


@pytest.mark.parametrize("version", GOLDEN)
def test_every_field_without_a_default_is_there_or_brought_by_an_upgrader(version):
    missing = {
        f"{of.__name__}.{f.name}"
        for image in golden(version).values()
        for of, names in objects(upgraded(image))
        for f in fields(of)
        if f.init and f.default is MISSING and f.default_factory is MISSING and f.name not in names
    }
    assert not missing


@pytest.mark.parametrize("version", GOLDEN)
def test_the_images_of_every_version_are_read_as_the_same_profiles(version):
    images = golden(version)
    assert [from_json(images["before_survivor"]), from_json(images["before_absorbed"])] == [
        as_of(version, SURVIVOR),
        as_of(version, ABSORBED),
    ]
    assert from_json(images["result"]) == as_of(version, from_json(golden(VERSION)["result"]))


# --- Fields to come, and fields gone ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NextPersonal(Personal):
    """Personal data of a release to come."""

    nickname: str | None = None


@dataclass(frozen=True, slots=True)
class NextNote(Note):
    author: str = "nobody"


@pytest.mark.parametrize("version", GOLDEN)
def test_a_field_added_later_has_its_default_in_images_of_before(version):
    image = golden(version)["before_survivor"]
    personal = from_fields(NextPersonal, image["personal"])
    assert (personal.last_name, personal.nickname) == ("Lovelace", None)
    assert from_fields(NextNote, image["notes"][0]).author == "nobody"


def test_a_field_without_a_default_is_brought_by_an_upgrader():
    def with_country(image: dict[str, Any]) -> dict[str, Any]:
        return {**image, "members": [{**member, "country": "GB"} for member in image["members"]]}

    upgraders = {**UPGRADERS, VERSION: with_country, VERSION + 1: lambda image: {**image, "ripe": True}}
    for version in GOLDEN:
        image = upgraded(golden(version)["before_survivor"], upgraders, VERSION + 2)
        assert [member["country"] for member in image["members"]] == ["GB", "GB"]
        assert image["ripe"]


@pytest.mark.parametrize("name", [f.name for f in fields(Profile) if f.name != "maestra_id"])
def test_every_field_of_a_profile_may_be_missing(name):
    """As in an image of before the field was added."""
    image = image_of(SURVIVOR)
    del image[name]
    (default,) = (getattr(Profile(1), f.name) for f in fields(Profile) if f.name == name)
    assert from_json(image) == replace(SURVIVOR, **{name: default})


def test_a_field_that_is_no_more_is_passed_over():
    image = image_of(SURVIVOR)
    image["favourite"] = "tea"
    image["personal"]["salutation"] = {"$unheard_of": "Dr"}
    assert from_json(image) == SURVIVOR


def test_no_image_of_today_is_taken_for_a_later_one():
    assert not any(is_of_later_release(image) for v in GOLDEN for image in golden(v).values())
    assert is_of_later_release({**image_of(SURVIVOR), "version": VERSION + 1})


def test_what_stands_for_a_preview_knows_no_versions():
    """So a preview outlives a new release that left the profile as it was."""
    assert "version" not in to_json(SURVIVOR)
    assert image_of(SURVIVOR) == {"version": VERSION, **to_json(SURVIVOR)}


def test_the_plain_fields_are_those_that_are_no_part():
    assert set(fields_json(SURVIVOR)) == {"maestra_id", "time_zone", "opted_out_at", "is_new"}
    assert day(1).isoformat() == fields_json(SURVIVOR.members[0])["registered_at"]["$moment"]
