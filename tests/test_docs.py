"""The documents say what the code does: paths, links, variables, error codes and set-up files agree."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

from customers.errors import ErrorCode
from customers.models import Scopes
from dedup.management.commands.configure import SECTIONS
from segments.conditions.catalogue import TYPES

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
ARCHITECTURE, INTEGRATING, OPERATING, SET_UP = (
    ROOT / "docs" / f"{name}.md" for name in ("architecture", "integrating", "operating", "set-up")
)

CODE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
APPS = ("config", "customers", "dedup", "segments")
FOLDERS = "config|customers|dedup|segments|templates|tests|docs|\\.ci"
PATH = re.compile(rf"(?:{FOLDERS})/[\w./-]*|[A-Z]+\.md|Dockerfile|compose\.yaml|pyproject\.toml|manage\.py")
VARIABLE = re.compile(r'(?:env\.\w+|environ\.get)\(\s*"([A-Z_]+)"')


def prose(document: Path) -> str:
    return CODE.sub("", document.read_text(encoding="utf-8"))


def paths_in(document: Path) -> Iterator[str]:
    """Paths of the repository. In the integrators' document a folder is an address of the API."""
    for span in SPAN.findall(prose(document)):
        if PATH.fullmatch(span) and not (document == INTEGRATING and span.endswith("/")):
            yield span


def anchors(document: Path) -> set[str]:
    """The headings as hosting sites make addresses of them."""
    headings = (re.sub(r"[^\w\- ]", "", text.lower()) for text in HEADING.findall(prose(document)))
    return {heading.replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_is_named_exists(document: Path):
    assert [path for path in paths_in(document) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path):
    broken = []
    for link in LINK.findall(prose(document)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def sources(path: Path) -> Iterator[str]:
    """The text of a file, or of all programs in a folder."""
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        yield file.read_text(encoding="utf-8")


def rules_in(text: str) -> set[int]:
    """The rules a text names, `R33–R39` being all of them."""
    spans = re.findall(r"\bR(\d+)(?:(?:–R|–| to R)(\d+))?", text)
    return {rule for first, last in spans for rule in range(int(first), int(last or first) + 1)}


def test_every_rule_lives_where_the_developers_are_told():
    elsewhere = []
    for row in re.findall(r"^\| R\d.*$", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE):
        named = (rules_in(text) for path in SPAN.findall(row) for text in sources(ROOT / path))
        elsewhere += sorted(rules_in(row) - set().union(*named))
    assert elsewhere == []


def test_every_name_of_the_code_that_developers_are_told_is_there():
    words = {word for app in APPS for text in sources(ROOT / app) for word in re.findall(r"\w+", text)}
    told = set(re.findall(r"`([A-Z]\w+)`", prose(ARCHITECTURE)))
    assert sorted(told - words) == []


def test_every_variable_of_the_environment_is_documented_and_no_other():
    files = [ROOT / "config" / f"{name}.py" for name in ("settings", "embedded", "installation")]
    read = {name for path in files for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
    table = prose(OPERATING).partition("## Environment variables")[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE))
    assert told == read


def test_every_event_that_is_logged_is_explained():
    logged = re.compile(r'log\.(?:info|warning|error|exception)\(\s*"([a-z_]+)"')
    events = {name for app in APPS for text in sources(ROOT / app) for name in logged.findall(text)}
    assert sorted(events - set(SPAN.findall(prose(OPERATING)))) == []


def test_every_error_code_and_scope_has_its_row():
    table = set(re.findall(r"^\| (`.+?`) \|", prose(INTEGRATING), re.MULTILINE))
    told = {name for cell in table for name in SPAN.findall(cell)}
    assert {code.value for code in ErrorCode} | set(Scopes.values) <= told


def test_every_section_of_the_set_up_file_and_every_condition_is_described():
    text = prose(SET_UP)
    assert [section.name for section in SECTIONS if f"## `{section.name}`" not in text] == []
    assert [name for name in TYPES if f"\n| `{name}` |" not in text] == []


@pytest.mark.django_db
def test_the_examples_of_the_set_up_file_are_accepted_one_after_the_other(tmp_path: Path):
    examples = [text for kind, text in CODE.findall(SET_UP.read_text(encoding="utf-8")) if kind == "yaml"]
    assert {name for text in examples for name in yaml.safe_load(text)} == {s.name for s in SECTIONS}
    for text in examples:
        file = tmp_path / "setup.yaml"
        file.write_text(text, encoding="utf-8")
        call_command("configure", str(file), verbosity=0)
