"""What a record says of the person: names and the like, time zone, the project's own fields (R34, R44)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache, partial
from typing import Any

from django.db.models import Field
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from customers import normalise
from customers.custom_values import CustomType, CustomValue, custom_value
from customers.models import Customer, Genders
from customers.setup.project_config import ProjectConfig
from dedup.parsing import cells, schemas
from dedup.parsing.draft import NOT_NULL, OBJECT, RecordDraft, is_empty, shown
from dedup.parsing.fields import (
    REMEMBERED,
    CellContext,
    CellReader,
    FromCell,
    RecordField,
    Segmentations,
    Target,
    squeezed,
)
from dedup.parsing.schemas import Choices, ObjectSchema, Schema, nullable

NOT_KNOWN = "unknown"
"""A value that says nothing, like an empty text."""
FULL_NAME = "full_name"
"""A column with first and last name."""
_BLOCKED = object()
"""In place of a name that is on the block list."""


class PersonalField:
    """One of the fields that travel as one set (R34): what makes a value of JSON, and of a cell that JSON."""

    def __init__(
        self,
        name: str,
        function: Callable[[Any], Any],
        *spellings: str,
        schema: Schema = nullable(schemas.TEXT),  # noqa: B008 - it is never changed
        from_cell: FromCell = CellContext.text,
    ) -> None:
        self.name = name
        self.function = function
        self.spellings = spellings
        self.schema = schema
        self.from_cell = from_cell

    @property
    def label(self) -> str:
        """As the model names it."""
        field = Customer._meta.get_field(self.name)
        assert isinstance(field, Field)
        return str(capfirst(field.verbose_name))

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        self.take(draft, path, partial(self._value, draft.context.config), raw)

    def _value(self, config: ProjectConfig, raw: Any) -> Any:
        if raw is None:
            return None
        value = self.function(raw)
        is_blocked = self.function is normalise.name and config.block_list.blocks_name(value)
        return _BLOCKED if is_blocked else value

    def take(self, draft: RecordDraft, path: str, function: Callable[[Any], Any], raw: Any) -> None:
        """Null clears the field (R44)."""
        if raw is None:
            draft.personal[self.name] = None
            return
        value = draft.take(path, function, raw)
        if value is _BLOCKED:
            draft.warn_blocked(path)
        elif value is not None and value != NOT_KNOWN:
            draft.personal[self.name] = value

    def cell_reader(self, column: str, context: CellContext) -> CellReader:
        config = context.parsing.config
        function = lru_cache(REMEMBERED)(lambda cell: self._value(config, self.from_cell(context, cell)))
        return lambda draft, cell: self.take(draft, column, function, cell)


PERSONAL = (
    PersonalField(
        "last_name",
        normalise.name,
        *("lastname", "surname", "familyname", "namelast", "lname", "secondname", "nachname", "familienname"),
    ),
    PersonalField(
        "first_name",
        normalise.name,
        *("firstname", "givenname", "forename", "namefirst", "fname", "christianname", "vorname", "prenom"),
    ),
    PersonalField(
        "middle_name",
        normalise.name,
        *("middlename", "namemiddle", "mname", "patronymic", "middleinitial"),
    ),
    PersonalField(
        "birth_date",
        normalise.birth_date,
        *("birthdate", "dateofbirth", "dob", "birthday", "bday", "birth", "born", "bornon", "geburtsdatum"),
        schema=nullable(schemas.DAY),
        from_cell=CellContext.day,
    ),
    PersonalField(
        "gender",
        normalise.gender,
        *("gender", "sex", "geschlecht"),
        schema=Choices(Genders.choices, is_nullable=True),
        from_cell=CellContext.gender,
    ),
)


class PersonField(RecordField):
    """The personal fields as one object."""

    def __init__(self, name: str, fields: Iterable[PersonalField]) -> None:
        self.fields = {field.name: field for field in fields}
        properties = {field.name: field.schema for field in self.fields.values()}
        super().__init__(name, ObjectSchema("RecordPersonal", properties))

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        draft.read(path, raw, self.fields)

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        for field in self.fields.values():
            name = f"{self.name}.{field.name}"
            yield Target(name, field.label, gettext("Person"), spellings=field.spellings)
        label = gettext("Full name (the last word is the last name)")
        spellings = ("fullname", "completename", "displayname", "vollername")
        name = f"{self.name}.{FULL_NAME}"
        yield Target(name, label, gettext("Person"), spellings=spellings, vague_spellings=("name",))

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:
        if part == FULL_NAME:
            return partial(self._read_full_name, column)
        return self.fields[part].cell_reader(column, context)

    def rank(self, part: str) -> int:
        return 1 if part == FULL_NAME else 0

    def _read_full_name(self, column: str, draft: RecordDraft, cell: str | None) -> None:
        """First and last name, where no other column has said them."""
        values: Mapping[str, str | None] = {"first_name": None, "last_name": None}
        for name, value in values.items() if cell is None else cells.named(cell).items():
            if name not in draft.personal:
                self.fields[name].read(draft, column, value)

    def is_droppable(self, part: str) -> bool:  # noqa: ARG002
        return True


class TimeZoneField(RecordField):
    """A zone of the IANA list; null clears it."""

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        if raw is None:
            draft.clears.add(self.name)
        else:
            draft.time_zone = draft.take(path, normalise.time_zone, raw)

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        spellings = ("timezone", "tz", "timezoneid", "ianatimezone", "ianatz")
        yield Target(self.name, gettext("Time zone"), gettext("Person"), spellings=spellings)

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:  # noqa: ARG002
        return lambda draft, cell: self.read(draft, column, cell)

    def is_droppable(self, part: str) -> bool:  # noqa: ARG002
        return True


class CustomFieldsField(RecordField):
    """The project's own fields by their system names; null clears one."""

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        if not isinstance(raw, dict):
            draft.fault(path, NOT_NULL if raw is None else OBJECT)
            return
        for name, value in raw.items():
            definition = draft.context.config.custom_fields.get(name)
            at = f"{path}.{name}"
            if definition is None:
                draft.fault(shown(at), _("There is no custom field of this name."))
            elif value is None:
                draft.custom_fields[name] = None
            elif value != "":
                _take_custom(draft, at, name, definition.type, value)

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        for name in config.custom_fields:
            label = config.labels.get(name, name)
            spellings = (squeezed(name), squeezed(label))
            yield Target(f"{self.name}.{name}", label, gettext("Custom fields"), spellings=spellings)

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:
        custom_type = context.parsing.config.custom_fields[part].type
        return partial(_read_custom_cell, column, part, custom_type, partial(_TYPED[custom_type], context))

    def is_droppable(self, part: str) -> bool:  # noqa: ARG002
        return True


def _take_custom(draft: RecordDraft, path: str, name: str, custom_type: CustomType, raw: Any) -> None:
    value = draft.take(path, lambda raw: custom_value(raw, custom_type), raw)
    if value is not None:
        draft.custom_fields[name] = as_stored(value)


def as_stored(value: CustomValue) -> Any:
    """A custom field's value as the profile has it: dates as text, a list as a list."""
    match value:
        case tuple():
            return list(value)
        case date():
            return value.isoformat()
        case _:
            return value


def _read_custom_cell(  # noqa: PLR0917 - what a column has in common, then the row's draft and cell
    column: str,
    name: str,
    custom_type: CustomType,
    typed: Callable[[str], Any],
    draft: RecordDraft,
    cell: str | None,
) -> None:
    if cell is None:
        draft.custom_fields[name] = None
    elif not is_empty(cell):
        value = draft.take(column, typed, cell)
        if value is not None:
            _take_custom(draft, column, name, custom_type, value)


_TYPED: dict[CustomType, FromCell] = {
    CustomType.STRING: CellContext.text,
    CustomType.INTEGER: CellContext.number,
    CustomType.DECIMAL: CellContext.number,
    CustomType.BOOLEAN: CellContext.boolean,
    CustomType.DATE: CellContext.day,
    CustomType.DATETIME: CellContext.instant,
    CustomType.LIST: CellContext.list,
}
"""What the API would send for a cell of each type."""
