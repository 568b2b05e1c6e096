"""Makes the partitions of the months to come, so that new activity never lands in the default one."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from customers.storage.sql import fetch_value


class Command(BaseCommand):
    help = "Makes the activity table's partitions from this month on; those that are there stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=180, help="How far ahead (default: 180).")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        today = timezone.now().date()
        made = fetch_value("SELECT customers_activity_months(%s, %s)", [today, today + timedelta(days=days)])
        self.stdout.write(f"{made} months made.")
