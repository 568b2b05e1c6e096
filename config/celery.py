"""Celery: worker and beat. Tasks are found in each app's `tasks` module."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

from customers import garbage_collection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("selfsame")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def _spare_collector(**_: Any) -> None:
    garbage_collection.freeze_gc()
