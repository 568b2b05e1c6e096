"""What all operations have in common: who asks, the result, and the one way to store what was decided."""

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
from customers.storage import saving as customers_saving
from customers.storage.batch import Batch, OperationInfo, RecordChanges
from dedup.engine.outcome import BlockedMatch, Outcome
from dedup.storage import saving as dedup_saving
from dedup.storage.loading import Loaded
from dedup.storage.profile_json import to_json
from segments import saving as segments_saving


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and through which integration point. `actor` is as in `OperationInfo`.

    `read_with` is the set-up that the request was read with, so that it is decided with the same; without it
    the present one counts.
    """

    actor: str
    point: Point
    user_id: int | None = None
    read_with: ProjectConfig | None = None

    @property
    def config(self) -> ProjectConfig:
        return self.read_with or project_config()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a request: the outcome, and the customer afterwards. `preview_token` stands for all
    customers that were read, as they were.
    """

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
    blocked_matches: Sequence[BlockedMatch] = (),
) -> list[int]:
    """Write the changes with their history, under one operation, each app its own tables. Returns the IDs of
    the merges, in order.

    `kind` names the operation in the history; `loaded` is what it was decided on, read with a lock.
    """
    assert loaded.operation, "loaded without a lock"
    operation = OperationInfo(
        id=loaded.operation,
        kind=kind,
        actor=caller.actor,
        at=now,
        actor_user=caller.user_id,
        point=caller.point.id,
    )
    batch = Batch(tuple(changed), operation, loaded.world.kinds, loaded.known)
    customers_saving.save(batch)
    segments_saving.save(batch)
    merge_ids = dedup_saving.save(batch)
    dedup_saving.save_review_pairs(blocked_matches, now)
    return merge_ids


def stale_preview() -> SelfsameError:
    """What is confirmed is not what was previewed."""
    detail = _("A customer changed since the preview. Preview again, and confirm what you then see.")
    return SelfsameError(ErrorCode.STALE_PREVIEW, detail)


def preview_token_of(profiles: Iterable[Profile]) -> str:
    """What stands for these customers exactly as they are: any change to one of them gives another token."""
    images = [to_json(p) for p in sorted(profiles, key=lambda p: p.maestra_id)]
    return hashlib.sha256(json.dumps(images, sort_keys=True).encode()).hexdigest()
