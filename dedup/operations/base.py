"""What all operations share: who asks, what becomes of it, and the one way to store what was decided."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from customers.errors import ErrorCode, SelfsameError
from customers.profile import Profile
from customers.setup.integration_points import Point
from customers.setup.project_config import ProjectConfig, project_config
from customers.storage import saving as customers_writing
from customers.storage.batch import Batch, OperationInfo, RecordChanges
from dedup.engine.outcome import BlockedMatch, Outcome
from dedup.storage import saving as dedup_writing
from dedup.storage.loading import Loaded
from dedup.storage.profile_json import to_json
from segments import writing as segments_writing


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and through which integration point. `actor` as in `customers.storage.batch.OperationInfo`.
    `setup` is the catalogue the request was read with; without it, it is asked for anew.
    """

    actor: str
    point: Point
    user_id: int | None = None
    setup: ProjectConfig | None = None

    @property
    def config(self) -> ProjectConfig:
        return self.setup or project_config()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a request. `preview_token` stands for the customers as they were read."""

    outcome: Outcome
    profile: Profile
    merge_ids: tuple[int, ...] = ()
    preview_token: str | None = None


ResultOrError = Result | SelfsameError


def save(
    caller: Caller,
    kind: str,
    changed: Sequence[RecordChanges],
    loaded: Loaded,
    now: datetime,
    *,
    kept: Sequence[BlockedMatch] = (),
) -> list[int]:
    """Write the changes with their history, under one operation; the IDs of the merges, in order."""
    assert loaded.operation
    operation = OperationInfo(
        id=loaded.operation,
        kind=kind,
        actor=caller.actor,
        at=now,
        actor_user=caller.user_id,
        point=caller.point.id,
    )
    batch = Batch(tuple(changed), operation, loaded.world.kinds, loaded.known)
    customers_writing.save(batch)
    segments_writing.save(batch)
    merge_ids = dedup_writing.save(batch)
    dedup_writing.save_review_pairs(kept, now)
    return merge_ids


def stale_preview() -> SelfsameError:
    detail = _("A customer changed since the preview. Preview again, and confirm what you then see.")
    return SelfsameError(ErrorCode.STALE_PREVIEW, detail)


def token_of(profiles: Iterable[Profile]) -> str:
    """What stands for these customers exactly as they are: any change gives another token."""
    images = [to_json(p) for p in sorted(profiles, key=lambda p: p.maestra_id)]
    return hashlib.sha256(json.dumps(images, sort_keys=True).encode()).hexdigest()
