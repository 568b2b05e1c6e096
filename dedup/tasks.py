"""What the worker does for this app."""

from celery import shared_task

from dedup import confirmations, idempotency


@shared_task
def send_confirmations() -> None:
    """Send what could not be sent at once (R45)."""
    while confirmations.send_waiting():
        pass


@shared_task
def purge_idempotency_keys() -> None:
    """Drop stored answers after their 24 hours."""
    idempotency.purge()
