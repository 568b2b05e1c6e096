"""The section of a set-up file that declares sites: which pages may send activity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from customers.models import IntegrationPoint
from customers.normalise import Invalid
from customers.setup.file.sections import Declared, FileSection, listed, needed, stored, system_name, without
from customers.setup.file.shapes import (
    FileEntry,
    FilePlace,
    boolean,
    list_of,
    mapping_of,
    no_repetition,
    normalised,
    not_among,
)
from dedup.models import Site
from dedup.models.tracking import SITE_KEY_MARK
from dedup.origins import origin_of


def site_key(value: str) -> str:
    """A project may choose the key, so that its pages contain the same one wherever the project is set up."""
    secret = value.removeprefix(f"{SITE_KEY_MARK}_")
    if secret == value or not (8 <= len(secret) <= 64 and secret.isascii() and secret.isalnum()):
        message = _("a site key is %(mark)s_ followed by 8 to 64 letters and digits")
        raise Invalid(message % {"mark": SITE_KEY_MARK})
    return value


read_sites = list_of(
    mapping_of(
        {
            "integration_point": system_name,
            "origins": list_of(normalised(origin_of)),
            "key": normalised(site_key),
            "enabled": boolean,
            "identifies_by_ids": boolean,
            "finds_customers": boolean,
        },
        required=["integration_point"],
    )
)


def check_sites(declared: Declared, place: FilePlace) -> None:
    stored_points = stored(IntegrationPoint)
    named = [entry.get("system_name") for entry in declared.get("integration_points") or () if entry]
    points = list(dict.fromkeys([*stored_points, *filter(None, named)]))
    sites = set(Site.objects.values_list("point__system_name", flat=True))
    no_repetition(declared["tracking"], place, "integration_point")
    for entry, here in listed(declared["tracking"], place):
        point = entry.get("integration_point")
        if point and point not in points:
            here.key("integration_point").fault(not_among(point, points, "integration point"))
        if point not in sites:
            needed(entry, here, "origins")
        check_key(entry, here)


def check_key(entry: FileEntry, place: FilePlace) -> None:
    others = Site.objects.exclude(point__system_name=entry.get("integration_point"))
    if entry.get("key") and others.filter(key=entry["key"]).exists():
        place.key("key").fault(_("another integration point has this key"))


def save_sites(entries: Iterable[FileEntry]) -> None:
    for entry in entries:
        point = IntegrationPoint.objects.get(system_name=entry["integration_point"])
        values: dict[str, Any] = without(entry, "integration_point", "enabled")
        if "enabled" in entry:
            values["is_enabled"] = entry["enabled"]
        Site.objects.update_or_create(point=point, defaults=values)


SECTIONS = (FileSection("tracking", read_sites, check_sites, save_sites),)
