"""What the worker does for this app."""

from celery import shared_task

from segments import recalculation


@shared_task
def recalculate() -> None:
    """Do the recalculations that were asked for (R51)."""
    recalculation.run_waiting()


@shared_task
def recalculate_all() -> None:
    """Recalculate every calculated segmentation (R51)."""
    recalculation.ask_for_all()
    recalculation.run_waiting()
