"""`manage.py check_integrity`: reads the whole database and says what is not as it must be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dedup.storage.integrity import CHECKS, faults


class Command(BaseCommand):
    help = "Check what no constraint can: ledgers, facts, primaries, the merge journal. Changes nothing."

    def handle(self, *_args: Any, **_options: Any) -> None:
        found = faults()
        for fault in found:
            self.stdout.write(f"Not so: {fault.sentence} For example: {', '.join(fault.examples)}.")
        if found:
            raise CommandError(f"{len(found)} of {len(CHECKS)} checks failed.")
        self.stdout.write(f"All {len(CHECKS)} checks passed.")
