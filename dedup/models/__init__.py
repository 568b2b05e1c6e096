"""The tables of deduplication: what was decided, imports, and the inbox of events."""

from dedup.models.decisions import (
    ApartPair,
    Confirmation,
    ConfirmationKinds,
    IdempotencyKey,
    Merge,
    ReviewPair,
    ReviewStatuses,
)
from dedup.models.imports import (
    Import,
    ImportBlock,
    ImportChunk,
    ImportKind,
    ImportKinds,
    ImportMapping,
    ImportPiece,
    ImportStates,
    Outcomes,
)
from dedup.models.tracking import Event, EventColumns, FailedEvent, ForgottenMonth, SeenEvent, Site

__all__ = [
    "ApartPair",
    "Confirmation",
    "ConfirmationKinds",
    "Event",
    "EventColumns",
    "FailedEvent",
    "ForgottenMonth",
    "IdempotencyKey",
    "Import",
    "ImportBlock",
    "ImportChunk",
    "ImportKind",
    "ImportKinds",
    "ImportMapping",
    "ImportPiece",
    "ImportStates",
    "Merge",
    "Outcomes",
    "ReviewPair",
    "ReviewStatuses",
    "SeenEvent",
    "Site",
]
