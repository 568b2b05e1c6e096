"""The sign that the scheduler works."""

import os
import time
from pathlib import Path

import pytest

from config import beat
from config.celery import app


def test_each_look_for_what_is_due_renews_the_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sign = tmp_path / "beat.alive"
    monkeypatch.setattr(beat, "ALIVE", sign)
    scheduler = beat.Scheduler(app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
    scheduler.setup_schedule()
    monkeypatch.setattr(scheduler, "apply_entry", lambda *_, **__: None)
    monkeypatch.setattr(beat.Scheduler, "producer", None)
    scheduler.tick()
    os.utime(sign, (0, 0))
    scheduler.tick()
    assert time.time() - sign.stat().st_mtime < 60


def test_the_settings_name_this_scheduler():
    assert app.conf.beat_scheduler == f"{beat.Scheduler.__module__}:{beat.Scheduler.__name__}"
