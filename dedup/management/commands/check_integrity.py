"""`manage.py check_integrity`: reads the whole database and says what is not as it must be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from dedup.storage.integrity import CHECKS, faults, repair


class Command(BaseCommand):
    help = (
        "Check what no constraint can: ledgers, facts, primaries, the merge journal. Changes nothing, unless "
        "told to repair."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="first put right what follows from other rows: counted facts, who is identified, claims to "
            "what is held, requests that were never answered",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["repair"]:
            self._repair()
        found = faults()
        for fault in found:
            self.stdout.write(f"Not so: {fault.sentence} For example: {', '.join(fault.examples)}.")
        if found:
            raise CommandError(f"{len(found)} of {len(CHECKS)} checks failed.")
        self.stdout.write(f"All {len(CHECKS)} checks passed.")

    @transaction.atomic
    def _repair(self) -> None:
        for sentence in repair():
            self.stdout.write(f"Repaired: {sentence}")
