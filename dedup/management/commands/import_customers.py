"""`manage.py import_customers FILE`: an import from the command line, worked here, and by workers if there
are any.
"""

from __future__ import annotations

import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from customers import garbage_collection
from customers.errors import SelfsameError
from customers.models import IntegrationPoint
from customers.setup.integration_points import Point, point_of
from customers.setup.project_config import project_config
from dedup.imports import operations, reports
from dedup.imports.columns.options import BY_POSITION, Options
from dedup.imports.processing.chunks import step_of
from dedup.imports.processing.outcomes import EFFECTS
from dedup.models import Import, ImportKind, ImportStates
from segments.references import named_segmentations

STANDARD_INPUT = "-"
AT_WORK = (ImportStates.STAGING, ImportStates.RUNNING)
OTHERS_AT_WORK = 0.2  # seconds to wait where only others have something to do
SHOWN_EVERY = 0.5  # seconds
BAR = 30
INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended."""
OPTIONS = (
    "lookup_by",
    "mode",
    "drop_invalid",
    "day_first",
    "default_region",
    "time_zone",
    "segment",
    "subscriptions",
    "encoding",
    "delimiter",
    "sheet",
    "header_row",
    "duplicate_headers",
)


class Command(BaseCommand):
    help = (
        "Import a file, and show how far it is. Ctrl-C pauses; --resume goes on. The rows are worked by this "
        "process, and by workers if there are any. Exit codes: 0 the import is finished, even if some rows "
        "failed; 1 it failed or was cancelled, or every row failed; 2 the arguments are wrong; 130 it was "
        "paused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", help="CSV, TSV or XLSX; also as .gz or .zip; - for stdin")
        parser.add_argument("--point", help="the integration point it comes through, by system name")
        parser.add_argument("--kind", choices=list(ImportKind), default=ImportKind.CUSTOMERS.value)
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=TARGET",
            help="where a column goes, as in CrmID=ids.crm_id; nothing after = leaves it out",
        )
        parser.add_argument("--mapping", help="a saved mapping")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen, and keep nothing")
        parser.add_argument("--run", type=int, metavar="ID", help="run this finished dry run for real")
        parser.add_argument(
            "--resume", type=int, metavar="ID", help="go on with an import that was paused or left"
        )
        parser.add_argument("--failed", type=Path, help="a file that gets the failed rows, to be mended")
        self.add_options(parser)

    def add_options(self, parser: ArgumentParser) -> None:
        """How the rows are read (`Options`)."""
        parser.add_argument("--lookup-by", help="kinds of identifiers, with commas between them")
        parser.add_argument(
            "--fill", dest="mode", action="store_const", const="fill", help="only fill blanks"
        )
        parser.add_argument("--drop-invalid", action="store_true", help="leave invalid contacts out")
        parser.add_argument("--day-first", action="store_true", default=None, help="31/01 rather than 01/31")
        parser.add_argument("--default-region", help="of phones without a country, as in US")
        parser.add_argument("--time-zone", help="of times without an offset, as in Europe/Berlin")
        parser.add_argument(
            "--segment", metavar="SEGMENTATION.SEGMENT", help="a segment that all are put into"
        )
        parser.add_argument(
            "--subscriptions",
            metavar="CHANNEL=STATUS",
            help="of every row, as in email=unsubscribed",
        )
        parser.add_argument("--encoding")
        parser.add_argument("--delimiter")
        parser.add_argument("--sheet", help="of a workbook, by default the first")
        parser.add_argument("--header-row", type=int, help="the line with the column names, from 1 on")
        parser.add_argument(
            "--duplicate-headers", choices=[BY_POSITION], help="call a second column of a name “name (2)”"
        )

    def run_from_argv(self, argv: list[str]) -> None:
        """Begun from the command line, the process does nothing else."""
        garbage_collection.freeze_gc()
        super().run_from_argv(argv)

    def handle(self, **given: Any) -> None:
        try:
            source = begun(given)
            with pausing(source), self.showing(source):
                self.follow(source)
        except SelfsameError as error:
            raise CommandError(error.detail) from None
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from None
        source = operations.find(source.pk)
        self.report(source, given["failed"])

    def follow(self, source: Import) -> None:
        """Work it until it ends or is paused, whoever does the work."""
        try:
            while source.state in AT_WORK:
                if not step_of(source):
                    time.sleep(OTHERS_AT_WORK)
                source = operations.find(source.pk)
        except (OperationalError, InterfaceError) as error:
            raise CommandError(f"The database does not answer. {go_on(source)}") from error
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {go_on(source)}", returncode=INTERRUPTED) from None

    @contextmanager
    def showing(self, source: Import) -> Iterator[None]:
        """Within it, how far the import is: as a bar on a terminal, else in a line for every tenth."""
        ended = Event()
        ticking = Thread(target=self.tick, args=[source, ended])
        ticking.start()
        try:
            yield
        finally:
            ended.set()
            ticking.join()
            if self.stderr.isatty():
                self.stderr.write("")

    def tick(self, source: Import, ended: Event) -> None:
        told = None
        is_last = False
        while not is_last:
            is_last = ended.wait(SHOWN_EVERY)
            try:
                told = self.tell(reports.progress(operations.find(source.pk)), told)
            except DatabaseError:  # of which the work itself tells
                connection.close()
        connection.close()

    def tell(self, at: reports.Progress, told: int | None) -> int | None:
        """Say how far it is, unless that was told already; what is told now."""
        if self.stderr.isatty():
            self.stderr.write(f"\r{line(at):100}", style_func=str, ending="")
            self.stderr.flush()
            return None
        tenths = at.done * 10 // at.total if at.total else -1
        if tenths != told:
            self.stderr.write(line(at), style_func=str)
        return tenths

    def report(self, source: Import, failed: Path | None) -> None:
        at = reports.progress(source)
        self.stdout.write(f"Import {source.pk}: {ImportStates(source.state).label}.")
        for name, count in sorted(at.counts.items()):
            self.stdout.write(f"  {name.replace('_', ' '):16}{count:>12,}")
        for code, count in sorted(at.failed_by.items()):
            self.stdout.write(f"  failed, {code:24}{count:>4,}")
        if source.is_dry_run:
            self.tell_examples(source)
        if different := (source.result.get("differences") or {}).get("count"):
            self.stdout.write(f"{different} rows came out different from the dry run.")
        if failed:
            write_failed(source, failed)
        if source.state == ImportStates.PAUSED:
            raise CommandError(go_on(source), returncode=INTERRUPTED)
        if source.state != ImportStates.FINISHED:
            raise CommandError((source.problem or {}).get("detail", "It was cancelled."))
        if at.failed and at.failed == at.done:
            raise CommandError("Every row failed.")

    def tell_examples(self, source: Import) -> None:
        for name, examples in reports.examples_of(source).items():
            if name in EFFECTS or name.startswith("failed"):
                first = examples[0]
                said = " ".join(first["sentences"])
                self.stdout.write(f"  For example, {name.replace('_', ' ')}: line {first['line']}: {said}")
        self.stdout.write(f"Do it with: manage.py import_customers --run {source.pk}")


def line(at: reports.Progress) -> str:
    if at.total is None:
        return f"{at.staged} rows read"
    share = at.done / at.total if at.total else 1.0
    done = "#" * round(BAR * share)
    rate = f"  {at.rate:,.0f} rows/s" if at.rate else ""
    left = f"  {at.seconds_left:,.0f} s left" if at.seconds_left else ""
    return f"[{done:{BAR}}] {share:4.0%}  {at.done} of {at.total}, {at.failed} failed{rate}{left}"


def go_on(source: Import) -> str:
    return f"Go on with: manage.py import_customers --resume {source.pk}"


def write_failed(source: Import, path: Path) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            file.writelines(reports.failed_file(source))
    except OSError as error:
        raise CommandError(f"The failed rows cannot be written to {path}: {error.strerror}") from None


def begun(given: dict[str, Any]) -> Import:
    """The import to follow. Raises `SelfsameError`, or CommandError where the arguments do not fit."""
    who: dict[str, Any] = {"actor": f"system:{getuser()}", "user_id": None}
    if given["file"] and (given["resume"] or given["run"]):
        raise CommandError("--resume and --run go on with an import that has its file. Leave the file out.")
    if given["resume"]:
        return gone_on(operations.find(given["resume"]))
    if given["run"]:
        return operations.run(operations.find(given["run"]), **who)
    if not (given["file"] and given["point"]):
        raise CommandError("Name the file, and with --point the integration point it comes through.")
    with opened(given["file"]) as file:
        return operations.start(
            **who,
            point=point_named(given["point"]),
            file=file,
            name="standard input" if given["file"] == STANDARD_INPUT else Path(given["file"]).name,
            kind=ImportKind(given["kind"]),
            mapping=given["mapping"] or columns(given["map"]),
            options=options(given),
            is_dry_run=given["dry_run"],
        )


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below: what is done with it is not caught here
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from None
    with file:
        yield file


def gone_on(source: Import) -> Import:
    """One whose process was killed is still at work, as far as anybody knows."""
    return source if source.state in AT_WORK else operations.resume(source)


def point_named(name: str) -> Point:
    row = IntegrationPoint.objects.filter(system_name=name).first()
    if row is None:
        known = ", ".join(IntegrationPoint.objects.order_by("pk").values_list("system_name", flat=True))
        raise CommandError(f"There is no integration point {name}. There are: {known}")
    return point_of(row)


def columns(given: list[str]) -> dict[str, str | None] | None:
    pairs = [text.rpartition("=") for text in given]
    if any(not equals for _column, equals, _target in pairs):
        raise CommandError("Write --map as COLUMN=TARGET.")
    return {column: target or None for column, _equals, target in pairs} or None


def options(given: dict[str, Any]) -> Options:
    chosen = {name: given[name] for name in OPTIONS if given[name] is not None}
    return Options.read(chosen, project_config(), named_segmentations())


@contextmanager
def pausing(source: Import) -> Iterator[None]:
    """Within it, Ctrl-C pauses the import: the chunk at work is ended, and nothing is lost. A second one
    kills.
    """

    def pause(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        sys.stderr.write("\nPausing …\n")
        # With a connection of its own: that of this thread is in the middle of something.
        Thread(target=pause_quietly, args=[source]).start()

    before = signal.signal(signal.SIGINT, pause)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def pause_quietly(source: Import) -> None:
    try:
        operations.pause(source)
    except SelfsameError:
        pass  # it has ended meanwhile
    finally:
        connection.close()
