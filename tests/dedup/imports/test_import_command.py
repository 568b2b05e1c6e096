"""`manage.py import_customers`: what it says, what it ends with, and going on with what was left."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dedup.imports import operations
from dedup.imports.processing.chunks import step_of
from dedup.management.commands import import_customers
from dedup.models import Import, ImportStates
from tests.dedup.imports.importing import ANN, BOB, counts, csv_of, project
from tests.scenarios.conftest import story

__all__ = ["story"]

STEP = "dedup.management.commands.import_customers.step_of"
ROWS = [(str(n), f"p{n}@example.com", "", f"N{n}") for n in range(30)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def command(story: None, tmp_path: Path, settings: Any) -> Callable[..., tuple[str, str]]:
    """Runs it on a file of `rows`; what it wrote to either output."""
    project()
    settings.IMPORT_CHUNK_ROWS = 10
    path = tmp_path / "people.csv"

    def run(*arguments: str, rows: Any = ROWS, to: io.StringIO | None = None) -> tuple[str, str]:
        path.write_bytes(csv_of(rows))
        given = (
            arguments if {"--resume", "--run"} & set(arguments) else (str(path), "--point=files", *arguments)
        )
        out, err = io.StringIO(), to or io.StringIO()
        call_command("import_customers", *given, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    return run


def ended(command: Callable[..., Any], *arguments: str) -> tuple[int, str]:
    """The exit code and the message where it did not finish."""
    with pytest.raises(CommandError) as raised:
        command(*arguments)
    return raised.value.returncode, str(raised.value)


def struck(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Ctrl-C comes after so many steps: the first one stages the file, the others work a chunk each."""
    calls: list[bool] = []

    def counted(*given: Any, **more: Any) -> Any:
        calls.append(done := step_of(*given, **more))
        if len(calls) == times:
            os.kill(os.getpid(), signal.SIGINT)
        return done

    monkeypatch.setattr(STEP, counted)


def test_a_dry_run_and_its_run_and_the_failed_rows(
    command: Callable[..., tuple[str, str]], tmp_path: Path
) -> None:
    rows = [("1", ANN, "", "Ann"), ("2", BOB, "", "Bob"), ("3", "no address", "", "")]
    said, _ = command("--dry-run", rows=rows)
    assert "created                    2" in said
    assert "failed, validation_error" in said
    dry = Import.objects.get()
    assert f"--run {dry.pk}" in said
    failed = tmp_path / "failed.csv"
    said, _ = command("--run", str(dry.pk), "--failed", str(failed))
    assert "Finished" in said
    assert counts(Import.objects.get(dry_run=dry))["created"] == 2
    assert "no address" in failed.read_text()


def test_it_is_no_success_when_every_row_failed(command: Callable[..., tuple[str, str]]) -> None:
    wrong = [("1", "no address", "", ""), ("2", "none either", "", "")]
    with pytest.raises(CommandError, match="Every row failed") as raised:
        command(rows=wrong)
    assert raised.value.returncode == 1
    said, _ = command(rows=[*wrong, ("3", ANN, "", "")])
    assert "created" in said


def test_a_file_may_come_from_standard_input(
    command: Callable[..., tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(csv_of(ROWS))))
    call_command("import_customers", "-", "--point=files", stdout=io.StringIO(), stderr=io.StringIO())
    source = Import.objects.get()
    assert (source.name, counts(source)["created"]) == ("standard input", 30)


def test_a_terminal_has_a_bar_and_a_log_has_lines(command: Callable[..., tuple[str, str]]) -> None:
    _, shown = command(to=Terminal())
    assert shown.rpartition("\r")[2].startswith(f"[{'#' * 30}] 100%  30 of 30, 0 failed")
    _, logged = command()
    assert "\r" not in logged
    assert logged.splitlines()[-1].startswith(f"[{'#' * 30}] 100%  30 of 30, 0 failed")


@pytest.mark.parametrize("times", [1, 3])
def test_ctrl_c_pauses_and_resume_goes_on(
    command: Callable[..., tuple[str, str]], monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(import_customers, "Thread", WithAwaitedPause)
        struck(patch, times)
        code, said = ended(command)
    source = Import.objects.get()
    assert (source.state, code) == (ImportStates.PAUSED, 130)
    assert f"--resume {source.pk}" in said
    command("--resume", str(source.pk))
    assert counts(source) == {"created": 30, "blocked_value": 1}


class WithAwaitedPause(Thread):
    """A thread of the command; one that pauses is awaited, so that nothing more is done before it."""

    def __init__(self, target: Callable[..., None], args: list[Any]) -> None:
        super().__init__(target=target, args=args)
        self.pauses = target is import_customers.pause_quietly

    def start(self) -> None:
        super().start()
        if self.pauses:
            self.join()


def test_what_was_left_by_a_process_that_died_is_gone_on_with(
    command: Callable[..., tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    def dies(_source: Import) -> bool:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(STEP, dies)
        with pytest.raises(Died):
            command()
    source = Import.objects.get()
    assert source.state == ImportStates.STAGING
    said, _ = command("--resume", str(source.pk))
    assert "Finished" in said
    assert ended(command, "--resume", str(source.pk))[0] == 1


def test_an_import_that_cannot_be_ended_is_no_success(
    command: Callable[..., tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancels(source: Import) -> bool:
        operations.cancel(source)
        return True

    monkeypatch.setattr(STEP, cancels)
    assert ended(command) == (1, "It was cancelled.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--point=nowhere"], "There are: files"),
        (["--map", "CrmID"], "COLUMN=TARGET"),
        (["--map", "CrmID=nothing"], "CrmID: There is no such field"),
        (["--segment=silver"], "as in loyalty.gold"),
        (["--run", "1", "x.csv"], "Leave the file out"),
        (["--resume", "999"], "no import with this number"),
        (["--delimiter=ab"], "one character"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_stored(
    command: Callable[..., tuple[str, str]], arguments: list[str], said: str
) -> None:
    code, told = ended(command, *arguments)
    assert code == 1
    assert said in told
    assert not Import.objects.exists()


def test_all_may_be_put_into_a_segment(command: Callable[..., tuple[str, str]]) -> None:
    command("--segment=loyalty.gold")
    assert counts(Import.objects.get()) == {"created": 30, "blocked_value": 1}
