"""Every rule of the rulebook has a test: its number stands in the docstring or the name of at least one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
RULEBOOK = TESTS.parent / "dedup" / "RULES.md"
NUMBER = re.compile(r"\bR(\d+)\b")
NUMBER_IN_NAME = re.compile(r"(?:^|_)r(\d+)(?=_|$)")


def rules() -> set[int]:
    return {int(number) for number in re.findall(r"\*\*R(\d+)\b", RULEBOOK.read_text(encoding="utf-8"))}


def functions() -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for folder in ("rules", "scenarios"):
        for path in sorted((TESTS / folder).glob("test_*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                    yield node


def rules_with_a_test() -> set[int]:
    found = set()
    for function in functions():
        found |= {int(number) for number in NUMBER.findall(ast.get_docstring(function) or "")}
        found |= {int(number) for number in NUMBER_IN_NAME.findall(function.name)}
    return found


def test_the_rulebook_numbers_its_rules_without_a_gap():
    assert sorted(rules()) == list(range(1, max(rules()) + 1))
    assert max(rules()) >= 58


def test_every_rule_has_a_test():
    assert sorted(rules() - rules_with_a_test()) == []


def test_no_test_names_a_rule_that_does_not_exist():
    assert sorted(rules_with_a_test() - rules()) == []
