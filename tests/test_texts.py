"""Every sentence that people can see goes through gettext, whole, with named parameters.

What only developers and operators read is English: docstrings, logs, commands, the description of the API.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APPS = ("config", "customers", "dedup", "segments")
NOT_FOR_PEOPLE = {"management", "migrations", "demo", "settings.py", "embedded.py", "integrity.py"}
NOT_FOR_PEOPLE |= {"schema.py", "schemas.py", "import_schema.py"}

TRANSLATING = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext"}
TELLING = {"SelfsameError", "Invalid", "ValidationError", "fault", "invalid", "undo_blocked", "warn"}
"""Calls whose texts people see, be they sentences or not."""
DESCRIBING = {"text", "moment", "operation", "CommandError", "TimeoutError", "ImproperlyConfigured"}
DESCRIBING |= {"extend_schema", "OpenApiExample", "OpenApiParameter", "OpenApiResponse"}
"""Calls whose texts developers and operators see: of the description of the API, and of commands."""
DESCRIPTIONS = {"help_text", "description", "summary"}

Finding = tuple[int, str]


def sources() -> list[Path]:
    paths = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py"))]
    return [path for path in paths if not NOT_FOR_PEOPLE & set(path.parts)]


def untranslated(node: ast.AST, *, is_told: bool = False) -> Iterator[Finding]:
    """Sentences outside gettext, and texts within it that translators cannot find, with their lines."""
    text = text_of(node)
    if text is not None:
        if is_sentence(text) or (is_told and has_words(text)):
            yield getattr(node, "lineno", 0), text
        return
    if isinstance(node, ast.Expr) and text_of(node.value) is not None:  # a docstring
        return
    if isinstance(node, ast.Call):
        name = name_of(node.func)
        if name in TRANSLATING:
            yield from assembled(node)
            return
        if name in DESCRIBING:
            return
        is_told = name in TELLING
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.keyword) and child.arg in DESCRIPTIONS):
            yield from untranslated(child, is_told=is_told)


def assembled(call: ast.Call) -> Iterator[Finding]:
    """Texts put together before they are translated."""
    for argument in call.args:
        if isinstance(argument, ast.JoinedStr | ast.BinOp):
            yield call.lineno, f"{name_of(call.func)}({ast.unparse(argument)})"


def text_of(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) or "…" for part in parts)
    return None


def name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def is_sentence(text: str) -> bool:
    """A capital at the beginning, several words, a full stop."""
    return bool(re.fullmatch(r"[“\"']?[A-Z…].*\w .*[.!?][”\"']?\s*", text, re.DOTALL))


def has_words(text: str) -> bool:
    return bool(re.search(r"[A-Za-z]{2,} [A-Za-z]", text))


def test_every_sentence_that_people_see_is_translated():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sources()
        for line, text in untranslated(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('invalid(("limit", "too many of them"))', ["too many of them"]),
        ('x = "There is nothing at this address."', ["There is nothing at this address."]),
        ('x = f"It is one of: {names}."', ["It is one of: …."]),
        ('x = _("There is nothing here.")', []),
        ('x = _(f"It is one of: {names}.")', ["_(f'It is one of: {names}.')"]),
        ('def f():\n    """What it does is said here."""', []),
        ('x = text("How many there are.")', []),
        ('x = Field(help_text="How many there are.")', []),
        ('SQL = "SELECT a FROM b"', []),
    ],
)
def test_a_sentence_outside_gettext_is_found(source, found):
    assert [text for _line, text in untranslated(ast.parse(source))] == found
