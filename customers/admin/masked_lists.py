"""Pages of raw rows that hold contacts: masked for whoever may not see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.db.models import Model
from django.http import HttpRequest

from customers.admin.base import ReadOnlyAdmin
from customers.admin.profile_registry import masking_of
from customers.models import Identifier
from customers.presentation.masking import MaskingPolicy

Shown = Callable[[MaskingPolicy, Any], object]


class MaskedAdmin(ReadOnlyAdmin):
    """`with_contacts` are the columns and fields that hold contacts, and how each is shown to a reader."""

    with_contacts: Mapping[str, Shown] = {}

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._for_reader(request, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return self._for_reader(request, super().get_fields(request, obj))

    def _for_reader(self, request: HttpRequest, names: Sequence[Any]) -> list[Any]:
        """Columns, or fields, which may stand in groups."""
        policy = masking_of(request)
        return [
            self._for_reader(request, name) if isinstance(name, tuple) else self._column(policy, name)
            for name in names
        ]

    def _column(self, policy: MaskingPolicy, name: str) -> Any:
        if name not in self.with_contacts:
            return name
        show = self.with_contacts[name]

        label: Any = label_of(show) or label_for_field(name, self.model, self)

        @admin.display(description=label)
        def shown(row: Any) -> object:
            return show(policy, row)

        shown.__name__ = name
        return shown


def label_of(show: Shown) -> Any:
    """The label that a function has of its own."""
    return getattr(show, "short_description", None)


class PlainAdmin(ReadOnlyAdmin):
    """Rows that tell of contacts in sentences, which are not masked: for whoever may see contacts."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_view_permission(request, obj) and masking_of(request).lifted


def value_of(policy: MaskingPolicy, identifier: Identifier) -> str:
    return policy.value(identifier.kind.system_name, identifier.value)


def raw_of(policy: MaskingPolicy, row: Any) -> str:
    """What was typed, of an identifier or of what names one."""
    identifier = row if isinstance(row, Identifier) else row.identifier
    return policy.value(identifier.kind.system_name, row.raw) if row.raw else ""


def identifier_of(policy: MaskingPolicy, row: Any) -> str:
    """The value of the identifier a row names."""
    return value_of(policy, row.identifier)


def text_in(name: str) -> Shown:
    """A field that may have contacts anywhere in it: a text, or JSON."""
    return lambda policy, row: policy.anything(getattr(row, name))
