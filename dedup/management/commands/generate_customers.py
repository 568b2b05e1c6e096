"""Made-up customers in a CSV file, to try imports with, and a file that tells who they truly are."""

from __future__ import annotations

import csv
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, DjangoHelpFormatter

from dedup.demo.population import HEADER, SCENARIOS, rows

COLUMNS = """
columns of the customers:
  CrmID                 ID in the CRM; a few people have two of them
  Email, MobilePhone    in the several ways people write them; some are junk, some belong to two people
  DiscountCard          number of a loyalty card
  DeviceID              browser cookie; kiosk-000 … are devices that many people share
  FirstName, LastName   in nine languages; a person's other rows may have them misspelt or shortened
  BirthDate, Gender, TimeZone
  IsSubscribedByEmail, IsSubscribedBySms    yes, no or nothing

columns of the truth:
  Line      of the row in the file, whose header is line 1
  Person    the number of the person whose row it truly is
  Scenario  what is peculiar about it:
"""


class _HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    pass


class Command(BaseCommand):
    help = "Writes made-up customers as CSV, with duplicates, conflicts, shared devices and junk."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        lines = [f"            {name}: {meaning}" for name, meaning in SCENARIOS.items()]
        kwargs |= {"epilog": COLUMNS + "\n".join(lines), "formatter_class": _HelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rows", type=_count, required=True, help="How many rows to write.")
        parser.add_argument("--seed", type=_count, default=1, help="The same seed gives the same customers.")
        parser.add_argument("--out", help="The file to write; without it, the standard output.")
        parser.add_argument("--truth", help="The file that tells who every row truly is.")

    def handle(self, *args: Any, **options: Any) -> None:
        with _opened(options["out"], self.stdout) as out, _opened(options["truth"], None) as truth:
            customers = csv.writer(out, lineterminator="\n")
            customers.writerow(HEADER)
            answers = csv.writer(truth, lineterminator="\n") if truth else None
            if answers:
                answers.writerow(("Line", "Person", "Scenario"))
            for line, (row, told) in enumerate(rows(options["rows"], options["seed"]), start=2):
                customers.writerow(row)
                if answers:
                    answers.writerow((line, *told))


@contextmanager
def _opened(path: str | None, otherwise: Any) -> Iterator[Any]:
    if path is None:
        yield otherwise
        return
    with open(path, "w", encoding="utf-8", newline="") as file:
        yield file


def _count(text: str) -> int:
    if not text.isdigit() or not text.isascii() or len(text) > 9:
        raise ArgumentTypeError("a whole number is needed")
    return int(text)
