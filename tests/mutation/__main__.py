"""Do the tests of the engine notice when it is wrong? `python -m tests.mutation [FUNCTION …]`

mutmut makes some three thousand small faults in `dedup/engine`, one at a time, and runs the tests that reach
the faulty function. A fault that no test notices survives: a test is missing, or it makes no difference.
Tests that draw examples are not asked, so that the same faults survive each time; a database is not needed.

It works on a copy of the pure modules, because mutmut leaves its files where it runs. It needs
`pip install -e '.[mutation]'` and a quarter of an hour; FUNCTION, as in `dedup.engine.priority.*`, asks
for a part of it. After a run, `python -m tests.mutation --show NAME` shows a fault as a diff.

`equivalent.txt` says why some faults make no difference; the report repeats it beside them. They are numbered
within their function: where a function changes, its lines there are to be read again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / ".data" / "mutation"
ENGINE = Path("dedup", "engine")
TESTS = Path("tests", "dedup", "engine")
PURE = ("changes", "errors", "profile", "provisional", "texts", "transitions")
PACKAGES = ("customers", "dedup", "tests", "tests/dedup")
NOT_OF_FUNCTIONS = ("test_tables.py",)
"""mutmut changes functions only."""
SETTINGS = """
[tool.pytest.ini_options]
# Without a table of its own, pytest would take the project's, in a folder above.

[tool.mutmut]
source_paths = ["dedup/engine"]
also_copy = ["customers", "dedup/__init__.py"]
pytest_add_cli_args = [
    "-q", "-x", "-m", "not hypothesis", "-p", "no:cacheprovider", "-p", "no:django", "-p", "no:xdist"
]
pytest_add_cli_args_test_selection = ["tests/dedup/engine"]
timeout_constant = 10.0
"""
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
NOTICED = ("killed", "timeout")
NOT_ASKED = "not checked"


def prepare(folder: Path) -> None:
    """Copies of the engine, of what it imports, and of its tests."""
    shutil.rmtree(folder, ignore_errors=True)
    for package in PACKAGES:
        (folder / package).mkdir(parents=True, exist_ok=True)
        (folder / package / "__init__.py").touch()
    for module in PURE:
        shutil.copy(PROJECT / "customers" / f"{module}.py", folder / "customers")
    shutil.copytree(PROJECT / ENGINE, folder / ENGINE, ignore=shutil.ignore_patterns("__pycache__"))
    ignored = shutil.ignore_patterns("__pycache__", *NOT_OF_FUNCTIONS)
    shutil.copytree(PROJECT / TESTS, folder / TESTS, ignore=ignored)
    (folder / "pyproject.toml").write_text(SETTINGS)


def mutmut(folder: Path, *arguments: str, stdout: int | None = None) -> str:
    """Run mutmut in the copy; what it wrote, if that goes to a pipe."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(), check=True, stdout=stdout, text=True)
    return done.stdout or ""


def environment() -> dict[str, str]:
    """Without what the caller's shell adds to every call of pytest."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}


def results(folder: Path) -> dict[str, str]:
    """What became of each fault, by its name."""
    lines = mutmut(folder, "results", "--all", "true", stdout=subprocess.PIPE).splitlines()
    found = dict(line.strip().split(": ") for line in lines if ": " in line)
    return {name: result for name, result in found.items() if result != NOT_ASKED}


def equivalent() -> dict[str, str]:
    """Why a fault makes no difference, by its name."""
    lines = EQUIVALENT.read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines)


def report(found: dict[str, str]) -> str:
    known = equivalent()
    unnoticed = [
        f"{name}: {result}{f' ({known[name]})' if name in known else ''}"
        for name, result in found.items()
        if result not in NOTICED
    ]
    counts = ", ".join(f"{count} {result}" for result, count in Counter(found.values()).most_common())
    score = 100 * (1 - len(unnoticed) / len(found)) if found else 0
    return "\n".join([*unnoticed, f"{counts}: {score:.1f} % noticed", ""])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("functions", nargs="*", metavar="FUNCTION")
    parser.add_argument("--show", metavar="NAME")
    asked = parser.parse_args()
    if asked.show:
        mutmut(FOLDER, "show", asked.show)
        return
    os.nice(10)
    prepare(FOLDER)
    mutmut(FOLDER, "run", "--max-children", "1", *asked.functions)
    sys.stdout.write(report(results(FOLDER)))


if __name__ == "__main__":
    main()
