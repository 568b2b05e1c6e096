"""What the worker does for this app."""

from celery import shared_task
from django.core.management import call_command


@shared_task
def make_activity_months() -> None:
    """Partitions of the activity ledger for the months to come."""
    call_command("activity_months", verbosity=0)
