"""Identifiers of a record: IDs, contacts with their flags, devices, cards; and of a look-up (R2–R15)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from customers import keyed_hashes, normalise
from customers.contact_types import ContactType
from customers.normalise import trim
from customers.profile import MAESTRA_ID, WITH_PRIMARY, Category, Key, Kind
from customers.setup.project_config import ProjectConfig
from customers.storage.loading import HIGHEST_MAESTRA_ID
from dedup.engine.record import Operation
from dedup.engine.warnings import RecordWarning, WarningCode
from dedup.parsing import cells, schemas
from dedup.parsing.draft import (
    MISSING,
    NOT_NULL,
    OBJECT,
    RecordDraft,
    below,
    entries,
    is_empty,
    known,
    shown,
)
from dedup.parsing.fields import (
    CellContext,
    CellReader,
    NotImported,
    RecordField,
    Segmentations,
    Target,
    squeezed,
)

NO_SUCH_KIND = _("There is no identifier kind of this name.")
NOT_CONFIRMED_HERE = _("Contacts of this type are not confirmed at this integration point. Leave it out.")
CONFIRMED, PRIMARY = FLAGS = "is_confirmed", "is_primary"
"""What may be said of a contact besides its value."""
_CONFIRMED_SPELLINGS = ("is{}confirmed", "{}confirmed", "{}isconfirmed", "confirmed{}", "{}verified")


_OF_CUSTOMERS = frozenset({"crmid", "customerid", "customernumber", "customercode", "clientid"})
_CUSTOMER_NUMBERS = (
    *("customerid", "customernumber", "customerno", "customercode", "clientid", "clientnumber", "contactid"),
    *("recordid", "kundennummer", "kundennr", "kundenid"),
)
"""Names of columns for the number that a company gives its customers, where there is a kind for that."""


class IdsField(RecordField):
    """IDs by the kinds of the project, the MaestraID among them (R2, R4)."""

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        if not isinstance(raw, dict):
            draft.fault(path, NOT_NULL if raw is None else OBJECT)
            return
        for name, value in raw.items():
            if value == "":
                continue
            at = f"{path}.{name}"
            if name == MAESTRA_ID:
                _own_maestra_id(draft, at, value)
            elif kind := _project_kind(draft, name):
                _read_id(draft, at, kind, value)
            else:
                draft.fault(shown(at), NO_SUCH_KIND)

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        """Of a unique kind a row has one value, of the others it may have several."""
        group = gettext("IDs")
        yield Target(f"{self.name}.{MAESTRA_ID}", "MaestraID", group, spellings=(squeezed(MAESTRA_ID),))
        for kind in config.kinds.values():
            if kind.category in (Category.UNIQUE, Category.IDENTIFIER):
                label = config.labels.get(kind.name, kind.name)
                own = (squeezed(kind.name), squeezed(label))
                spellings = (*own, *(_CUSTOMER_NUMBERS if _OF_CUSTOMERS.intersection(own) else ()))
                is_single = kind.category is Category.UNIQUE
                yield Target(f"{self.name}.{kind.name}", label, group, is_single, spellings)

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:
        if part == MAESTRA_ID:
            return partial(_read_maestra_id_cell, column)
        return partial(_read_identifier_cell, column, context.parsing.config.kinds[part])

    def identifies(self, part: str) -> bool:  # noqa: ARG002
        return True


def _project_kind(draft: RecordDraft, name: str) -> Kind | None:
    kind = draft.context.config.kinds.get(name)
    return kind if kind and kind.category in (Category.UNIQUE, Category.IDENTIFIER) else None


def _own_maestra_id(draft: RecordDraft, path: str, raw: Any) -> None:
    if draft.operation is Operation.REGISTER:
        draft.fault(path, _("Registering makes a new customer. To change a stored one, use upsert or edit."))
    else:
        draft.maestra_id = maestra_id(draft, path, raw)


def maestra_id(draft: RecordDraft, path: str, raw: Any) -> int | None:
    """A MaestraID, also as text; None, with its fault noted, where it is none."""
    number = int(raw) if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 20 else raw
    if type(number) is int and 0 < number <= HIGHEST_MAESTRA_ID:
        return number
    draft.fault(path, _("A MaestraID is a whole number from 1 on."))
    return None


def _read_id(draft: RecordDraft, path: str, kind: Kind, raw: Any) -> None:
    """A unique ID is one value, others may be several (R2, R4)."""
    if raw is None:
        draft.clears.add(kind.name)
    elif isinstance(raw, list) and kind.category is Category.UNIQUE:
        draft.fault(
            path,
            _("A customer has one current value of this kind. Send a text or a whole number, not a list."),
        )
    else:
        _plain_values(draft, path, kind, raw)


def _plain_values(draft: RecordDraft, path: str, kind: Kind, raw: Any) -> None:
    """Values without flags."""
    for at, item in entries(draft, path, raw):
        if item != "":
            _read_value(draft, at, kind, item)


def _read_value(draft: RecordDraft, path: str, kind: Kind, raw: Any) -> None:
    """One value of any kind, without flags."""
    if value := draft.value(path, kind, raw):
        draft.identifiers.setdefault(Key(kind.name, value), str(raw))


def _read_maestra_id_cell(column: str, draft: RecordDraft, cell: str | None) -> None:
    if cell is None or not is_empty(cell):
        draft.maestra_id = maestra_id(draft, column, cell and trim(cell))


def _read_identifier_cell(column: str, kind: Kind, draft: RecordDraft, cell: str | None) -> None:
    """Of what a customer may hold several, a cell may hold several too."""
    if cell is None:
        draft.clears.add(kind.name)
    elif cells.has_lost_digits(cell):
        draft.fault(column, cells.LOST_DIGITS)
    elif kind.category is Category.UNIQUE:
        _read_value(draft, column, kind, cell)
    else:
        for value in cells.several(cell):
            _read_value(draft, column, kind, value)


class DeviceField(RecordField):
    """Devices or mobile devices, one or several, without flags."""

    def __init__(self, name: str, *spellings: str) -> None:
        super().__init__(name, schemas.SEVERAL_VALUES)
        self.spellings = spellings

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        if raw is None:
            draft.clears.add(self.name)
        else:
            _plain_values(draft, path, draft.context.config.kinds[self.name], raw)

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        yield Target(self.name, self._label(config), gettext("Devices and cards"), False, self.spellings)

    def _label(self, config: ProjectConfig) -> str:
        return config.labels.get(self.name, self.name)

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:  # noqa: ARG002
        return partial(_read_identifier_cell, column, context.parsing.config.kinds[self.name])

    def identifies(self, part: str) -> bool:  # noqa: ARG002
        return True

    def is_droppable(self, part: str) -> bool:  # noqa: ARG002
        return True


class PaymentCardField(DeviceField):
    """Payment card hashes, keyed before anything else sees them (R10)."""

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        if raw is None:
            draft.clears.add(self.name)
            return
        for at, item in entries(draft, path, raw):
            value = draft.take(at, normalise.identifier, item)
            if draft.context.config.block_list.blocks(self.name, item, value):
                draft.warn_blocked(at)
            elif value:
                draft.cards[keyed_hashes.PAYMENT_CARD.hash(value)] = None

    def _label(self, config: ProjectConfig) -> str:  # noqa: ARG002 - it is no identifier kind
        return gettext("Payment card hash")

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:  # noqa: ARG002
        return partial(self._read_cell, column)

    def _read_cell(self, column: str, draft: RecordDraft, cell: str | None) -> None:
        for value in [None] if cell is None else cells.several(cell):
            self.read(draft, column, value)


_CONTACT_KEYS = frozenset({"value", *FLAGS})


class ContactField(RecordField):
    """Contacts of a type: a text, an object with flags, or a list of them, the first one primary; null clears
    the type (R44). In a file the flags have columns of their own, about the first contact of the row.
    """

    def __init__(self, contact_type: ContactType) -> None:
        super().__init__(contact_type.name, schemas.SEVERAL_CONTACTS)
        self.label = contact_type.label
        self.spellings = contact_type.spellings
        self.vague_spellings = contact_type.vague_spellings
        self.has_primary = contact_type.has_primary

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        if raw is None or (isinstance(raw, dict) and raw.get("value", "") is None):
            draft.clears.add(self.name)
            return
        kind = draft.context.config.kinds[self.name]
        if isinstance(raw, str):
            _read_value(draft, path, kind, raw)
            return
        found = ((at, _contact(draft, at, kind, item)) for at, item in entries(draft, path, raw))
        primary = {at: key for at, key in found if key}
        if len(set(primary.values())) > 1:
            draft.fault(f"{list(primary)[1]}.{PRIMARY}", _("Only one value can be the primary one."))

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        label, group = config.labels.get(self.name, self.name), gettext("Contacts")
        contact = {"contact": gettext(self.label)}
        yield Target(self.name, label, group, False, self.spellings, self.vague_spellings)
        named = (*self.spellings, *self.vague_spellings)
        confirmed = tuple(form.format(name) for name in named for form in _CONFIRMED_SPELLINGS)
        label = gettext("%(contact)s is confirmed") % contact
        yield Target(f"{self.name}.{CONFIRMED}", label, group, spellings=confirmed)
        if self.has_primary:
            primary = tuple(f"is{name}primary" for name in named)
            label = gettext("%(contact)s is the primary one") % contact
            yield Target(f"{self.name}.{PRIMARY}", label, group, spellings=primary)

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:
        kind = context.parsing.config.kinds[self.name]
        return (
            partial(_read_flag, column, kind, part) if part else partial(_read_identifier_cell, column, kind)
        )

    def rank(self, part: str) -> int:
        return 1 if part else 0

    def identifies(self, part: str) -> bool:
        return not part

    def is_droppable(self, part: str) -> bool:
        return not part


def _contact(draft: RecordDraft, path: str, kind: Kind, item: Any) -> Key | None:
    """Takes one contact; its key where it is sent as the primary one. A value sent twice counts once, with
    the flags of both.
    """
    at, raw, is_primary, is_confirmed = path, item, False, False
    if isinstance(item, dict):
        if not known(draft, path, item, _CONTACT_KEYS):
            return None
        is_primary = _flag(draft, path, PRIMARY, item) and kind.category in WITH_PRIMARY
        is_confirmed = _flag(draft, path, CONFIRMED, item) and _may_confirm(draft, path, kind)
        at, raw = f"{path}.value", item.get("value", "")
    value = draft.value(at, kind, raw)
    if not value:
        return None
    key = Key(kind.name, value)
    draft.identifiers[key] = str(raw)
    if is_confirmed:
        draft.confirmed.add(key)
    if is_primary:
        draft.primary.add(key)
    return key if is_primary else None


def _flag(draft: RecordDraft, path: str, name: str, item: Mapping[str, Any]) -> bool:
    value = item.get(name, False)
    if not isinstance(value, bool):
        draft.fault(f"{path}.{name}", _("Write true or false."))
    return value is True


def _may_confirm(draft: RecordDraft, path: str, kind: Kind) -> bool:
    """Only a point that asks for confirmation may bring one; subscribe leaves it out (R13, R15)."""
    at = f"{path}.{CONFIRMED}"
    if kind.name not in draft.context.point.must_be_confirmed:
        draft.fault(at, NOT_CONFIRMED_HERE)
    elif kind.name not in draft.confirming:
        draft.warnings.append(RecordWarning(WarningCode.CONFIRMATION_LEFT_OUT, at))
    return kind.name in draft.confirming


def _read_flag(column: str, kind: Kind, flag: str, draft: RecordDraft, cell: str | None) -> None:
    """What is said of the first contact of the type in the row."""
    if cell is None or is_empty(cell):
        return
    value = cells.yes_or_no(cell)
    if value is None:
        draft.fault(column, _("Write yes or no."))
        return
    if flag == CONFIRMED and value and kind.name not in draft.confirming:
        draft.fault(column, NOT_CONFIRMED_HERE)
        return
    key = next((key for key in draft.identifiers if key.kind == kind.name), None)
    if key and value:
        (draft.primary if flag == PRIMARY else draft.confirmed).add(key)


class LookupField(NotImported):
    """Whom the operation is about: exactly one identifier (R18)."""

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        draft.lookup = lookup_key(draft, path, raw)


def lookup_key(draft: RecordDraft, path: str, value: Any) -> Key | None:
    """Exactly one `{kind: value}`; None where it is faulty, or blocked and so finds nobody (R12, R18)."""
    if not isinstance(value, dict) or len(value) != 1:
        draft.fault(path, _('Name exactly one identifier, as in {"email": "ann@example.com"}.'))
        return None
    [(name, raw)] = value.items()
    at = below(path, name)
    if name == MAESTRA_ID:
        number = maestra_id(draft, at, raw)
        return Key(MAESTRA_ID, str(number)) if number else None
    kind = draft.context.config.kinds.get(name)
    if kind is None:
        draft.fault(shown(at), NO_SUCH_KIND)
        return None
    return _lookup_value(draft, at, kind, raw)


def _lookup_value(draft: RecordDraft, path: str, kind: Kind, raw: Any) -> Key | None:
    if raw is None or is_empty(raw):
        draft.fault(path, MISSING)
        return None
    noted = len(draft.errors)
    value = draft.value(path, kind, raw)
    if value is None and len(draft.errors) == noted:
        draft.nobody = Key(kind.name, "")
    return Key(kind.name, value) if value else None
