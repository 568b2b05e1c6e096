"""Set-up as code: declares a project from a file, wholly or not at all."""

from argparse import ArgumentParser
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from customers.models import ApiKey, IntegrationPoint, ProjectSettings
from customers.setup.file.keys import read_keys, with_working_keys, write_keys
from customers.setup.file.sections import SECTIONS as CUSTOMER_SECTIONS
from customers.setup.file.sections import Declared
from customers.setup.file.shapes import FilePlace, mapping_of
from dedup.models import Site
from dedup.tracking.setup_file import SECTIONS as TRACKING_SECTIONS
from segments.setup_file import SECTIONS as SEGMENT_SECTIONS

try:  # ten times as fast, where PyYAML was built with it
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

SECTIONS = (*CUSTOMER_SECTIONS, *SEGMENT_SECTIONS, *TRACKING_SECTIONS)
read_file = mapping_of({section.name: section.read for section in SECTIONS})


class Command(BaseCommand):
    help = (
        "Declare the project's settings, identifier kinds, custom fields, integration points, segmentations, "
        "sites and block list. What the file names is made or changed, nothing else is; a fault stops it all."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("setup", help="the set-up, a YAML file")
        parser.add_argument("--keys", help="a JSON file that gets a key for every point of the set-up")

    def handle(self, *, setup: str, keys: str | None = None, **options: Any) -> None:
        declared = load(Path(setup))
        made = configure(declared, Path(keys) if keys else None)
        if options["verbosity"]:
            self.report(declared, made, keys)

    def report(self, declared: Declared, made: list[str], keys: str | None) -> None:
        sizes = [f"{name.replace('_', ' ')}: {len(entries)}" for name, entries in declared.items()]
        self.stdout.write("Configured " + (", ".join(sizes) or "nothing: the file is empty"))
        if made:
            self.stdout.write(f"New keys in {keys}: {', '.join(made)}")
        for site in declared.get("tracking", ()):
            key = Site.objects.get(point__system_name=site["integration_point"]).key
            self.stdout.write(f"Site key of {site['integration_point']}, which is no secret: {key}")
        if keyless := points_without_key():
            self.stdout.write(f"Without a key: {', '.join(keyless)}. With --keys keys.json they get one.")


def configure(declared: Any, keys_path: Path | None) -> list[str]:
    """Write a set-up and its keys, and give back the points that got a new key. Raises CommandError with
    every fault.
    """
    file = FilePlace()
    values = read_file(declared, file) or {}
    with transaction.atomic():
        # One set-up at a time.
        ProjectSettings.objects.select_for_update().get()
        for section in SECTIONS:
            if values.get(section.name) is not None:
                section.check(values, file.key(section.name))
        keys = read_keys(keys_path, FilePlace(str(keys_path), file.faults)) if keys_path else {}
        refuse(file.faults)
        for section in SECTIONS:
            if section.name in values:
                section.save(values[section.name])
        return hand_out(values, keys_path, keys) if keys_path else []


def hand_out(values: Declared, path: Path, keys: dict[str, str]) -> list[str]:
    names = [entry["system_name"] for entry in values.get("integration_points", ())]
    points = {name: IntegrationPoint.objects.get(system_name=name) for name in names}
    kept = with_working_keys(points, keys)
    write_keys(path, kept)
    return [name for name in names if kept[name] != keys.get(name)]


def points_without_key() -> list[str]:
    working = ApiKey.objects.filter(revoked_at=None).values("point")
    return list(IntegrationPoint.objects.exclude(id__in=working).values_list("system_name", flat=True))


def refuse(faults: list[str]) -> None:
    if faults:
        raise CommandError("\n  - ".join(["Nothing was changed, because of these faults:", *faults]))


class Loader(SafeLoader):
    """YAML that refuses a key given twice, where the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                problem = f"{key.value} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(), Loader) or {}
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} is not YAML: {error}") from None
