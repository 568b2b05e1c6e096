"""The catalogue for translators. That it is up to date, .ci/run checks."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.management.commands import texts

CATALOGUE = """
msgid ""
msgstr ""
"Language: en\\n"

#: config/urls.py
msgid "One"
msgstr ""

#: config/urls.py
#, python-format
msgctxt "of a page"
msgid ""
"a \\"long\\" "
"one"
msgid_plural "%s long ones"
msgstr[0] ""
msgstr[1] ""
"""

Prepare = Callable[[str], None]


@pytest.fixture
def found(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Prepare:
    """A catalogue in the repository, and one that would be made now."""
    settings.BASE_DIR = tmp_path

    def write(root: Path, catalogue: str) -> None:
        (root / texts.SOURCE).parent.mkdir(parents=True)
        (root / texts.SOURCE).write_text(catalogue)

    def prepare(made: str) -> None:
        monkeypatch.setattr(texts, "gather", lambda folder: write(folder, made))

    write(tmp_path, CATALOGUE)
    return prepare


def test_a_text_is_told_with_its_context_and_plural(found: Prepare, tmp_path: Path):
    assert texts.texts(tmp_path) == {"One", 'of a page | a "long" one | %s long ones'}


def test_another_place_or_order_makes_no_catalogue_stale(found: Prepare):
    found(CATALOGUE.replace("config/urls.py", "dedup/apps.py"))
    call_command("texts", check=True, stdout=StringIO())


def test_a_stale_catalogue_is_told_apart_and_left(found: Prepare, tmp_path: Path):
    found(CATALOGUE.replace("One", "Two"))
    said = StringIO()
    with pytest.raises(CommandError, match=r"Run: python manage\.py texts"):
        call_command("texts", check=True, stdout=said)
    assert said.getvalue().splitlines()[:2] == ["new: Two", "gone: One"]
    assert texts.texts(tmp_path) >= {"One"}


def test_a_stale_catalogue_is_brought_up_to_date(found: Prepare, tmp_path: Path):
    found(CATALOGUE.replace("One", "Two"))
    call_command("texts", stdout=StringIO())
    assert "Two" in texts.texts(tmp_path)
    call_command("texts", check=True, stdout=StringIO())
