"""The set-up of the project as every operation needs it: identifier kinds, custom fields, block list,
settings.

Held in the process and asked for anew with each operation: one read of one row tells whether it still holds.
The database gives every state of the set-up a version of its own (see `customers.models.setup`), so a change
takes effect with the next operation of every process, and a state that was rolled back can never be taken for
a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

from structlog.stdlib import get_logger

from customers import normalise
from customers.block_list import BlockList, BlockListEntry
from customers.custom_values import CustomType
from customers.normalise import Invalid
from customers.profile import Category, Kind
from customers.setup.remembered import Remembered
from customers.storage.sql import fetch, fetch_value

log = get_logger(__name__)

VERSION = "SELECT version FROM customers_projectsettings WHERE id = 1"
# One statement, so that all of it is of one moment.
SETUP = """
SELECT
    version, default_region, shared_device_limit, suppression_list,
    (SELECT json_agg(json_build_array(id, system_name, category, do_not_merge_different, name) ORDER BY id)
       FROM customers_identifierkind),
    (SELECT json_agg(json_build_array(system_name, type, merge = 'larger', name) ORDER BY system_name)
       FROM customers_customfield),
    (SELECT json_agg(json_build_array(type, value, pattern) ORDER BY id) FROM customers_blockedvalue)
  FROM customers_projectsettings WHERE id = 1
"""


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """A custom field (R35). `larger`: of two numbers the larger is kept."""

    name: str
    type: CustomType
    larger: bool


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """One state of the set-up. `labels` are the names for people of kinds and custom fields, by system name.
    `suppression`: whether values of erased persons are remembered as keyed hashes (R54).
    """

    version: int
    kinds: Mapping[str, Kind]
    kinds_by_id: Mapping[int, Kind]
    labels: Mapping[str, str]
    custom_fields: Mapping[str, FieldDefinition]
    larger_fields: frozenset[str]
    block_list: BlockList
    default_region: str
    shared_device_limit: int
    suppression: bool


_current: Remembered[ProjectConfig] = Remembered()
_pinned: ContextVar[Remembered[ProjectConfig] | None] = ContextVar("pinned", default=None)


@contextmanager
def pinned_project_config() -> Iterator[None]:
    """Within it the set-up is asked for once, and stays as it was then: for a page, of which every row needs
    it, and not for what writes.
    """
    token = _pinned.set(Remembered())
    try:
        yield
    finally:
        _pinned.reset(token)


def project_config_version() -> int:
    """Which set-up holds now; any write to it gives it another version. One read of one row."""
    version: int = fetch_value(VERSION)
    return version


def project_config(version: int | None = None) -> ProjectConfig:
    """The set-up as it is now; within `pinned_project_config`, as it was when it was first asked for. Nothing
    is read where nothing changed and the caller has just read the `version`.
    """
    pinned = _pinned.get()
    return pinned.of(0, partial(_asked_for, version)) if pinned else _asked_for(version)


def _asked_for(version: int | None) -> ProjectConfig:
    now = project_config_version() if version is None else version
    return _current.of(now, lambda: _built(*fetch(SETUP)[0]))


def normalisers(region: str) -> Mapping[Category, Callable[[Any], str]]:
    """How values of each category are normalised; phones without a country code are of `region` (R5, R11)."""
    return {
        Category.EMAIL: normalise.email,
        Category.MOBILE_PHONE: lambda raw: normalise.phone(raw, region),
        Category.DISCOUNT_CARD: normalise.discount_card,
        Category.UNIQUE: normalise.identifier,
        Category.IDENTIFIER: normalise.identifier,
        Category.DEVICE: normalise.device,
        Category.MOBILE_DEVICE: normalise.device,
    }


def _built(  # noqa: PLR0917 - the columns of a row
    version: int,
    region: str,
    shared_device_limit: int,
    suppression: bool,
    kind_rows: Sequence[Sequence[Any]],
    field_rows: Sequence[Sequence[Any]] | None,
    blocked_rows: Sequence[Sequence[str]] | None,
) -> ProjectConfig:
    kinds = {name: Kind(pk, name, Category(category), strict) for pk, name, category, strict, _ in kind_rows}
    fields = {name: FieldDefinition(name, CustomType(of), larger) for name, of, larger, _ in field_rows or ()}
    return ProjectConfig(
        version=version,
        kinds=kinds,
        kinds_by_id={kind.id: kind for kind in kinds.values()},
        # Where a field has the name of a kind, values are shown under the label of the kind.
        labels={
            **{name: label for name, _, _, label in field_rows or ()},
            **{name: label for _, name, _, _, label in kind_rows},
        },
        custom_fields=fields,
        larger_fields=frozenset(name for name, definition in fields.items() if definition.larger),
        block_list=BlockList(_entries(blocked_rows or ()), _normalising(kinds, region)),
        default_region=region,
        shared_device_limit=shared_device_limit,
        suppression=suppression,
    )


def _entries(rows: Iterable[Sequence[str]]) -> Iterator[BlockListEntry]:
    for of_kind, value, pattern in rows:
        try:
            yield BlockListEntry(of_kind, value, pattern)
        except Invalid as reason:
            # The forms refuse such an entry; one that came past them must not stop the service.
            log.warning("blocked_value_left_out", kind=of_kind, reason=reason.message(str))


def _normalising(kinds: Mapping[str, Kind], region: str) -> Callable[[str, str], str | None]:
    by_category = normalisers(region)

    def normalised(kind: str, value: str) -> str | None:
        if kind not in kinds:
            return None
        try:
            return by_category[kinds[kind].category](value)
        except Invalid:
            return None

    return normalised
