"""What the worker does for this app."""

from celery import shared_task

from customers.redis import waking
from dedup.api import idempotency
from dedup.confirmation import sending
from dedup.imports import operations as imports
from dedup.imports.processing import slices
from dedup.storage.confirmation_outbox import TASK
from dedup.tracking import retention
from dedup.tracking.resolver import lanes


@shared_task
def send_confirmations() -> None:
    """Send what waits in the outbox of confirmations (R45)."""
    waking.awake(TASK)
    while sending.send_waiting():
        pass


@shared_task
def purge_idempotency_keys() -> None:
    """Drop stored answers after their 24 hours."""
    idempotency.purge()


@shared_task
def resolve_events() -> None:
    """Resolve the events in the inbox (R47–R50)."""
    lanes.resolve_waiting()


@shared_task
def purge_events() -> None:
    """Forget resolved events that nobody repeats any more, and failed ones nobody looked at."""
    retention.purge()


@shared_task
def forget_anonymous_activity() -> None:
    """Drop what anonymous visitors did long ago."""
    retention.forget_months()


@shared_task
def work_imports() -> None:
    """Stage files and work chunks for a while, if there are any."""
    slices.work_for_a_while()


@shared_task
def drop_import_rows() -> None:
    """Drop the row data of imports when its time is over."""
    imports.drop_old_rows()
