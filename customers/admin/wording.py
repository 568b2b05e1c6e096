"""Stored names of the code in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Field
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.history_kinds import HISTORY_KINDS
from customers.models import Customer
from customers.setup.project_config import project_config
from customers.words import why_priority


def kinds_of(data: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(history_kind_label(entry["kind"]) for entry in data))


def history_kind_label(name: str) -> str:
    """The name for people of a kind of history entry."""
    return _(HISTORY_KINDS[name].label)


def kind_label(system_name: str) -> str:
    """The name for people of an identifier kind."""
    return project_config().labels.get(system_name, system_name)


def personal_field(name: str) -> Field[Any, Any]:
    """The column of a field of the person (R34)."""
    field = Customer._meta.get_field(name)
    assert isinstance(field, Field)
    return field


def personal_value(name: str, value: Any) -> Any:
    """A field of the person as people read it: the label of a choice, else the value itself."""
    labels = dict(personal_field(name).flatchoices)
    return str(labels[value]) if value in labels else value


def criterion(name: str | None) -> str | None:
    """What decided between two customers (R29), as a sentence."""
    if name is None:
        return None
    text = why_priority(name)
    return text[:1].upper() + text[1:]


def values(named: Iterable[Mapping[str, Any]]) -> str | None:
    """`E-mail ann@example.com, Device …`, of a list of `{"type": …, "value": …}`."""
    return ", ".join(f"{kind_label(one['type'])} {one['value']}" for one in named) or None


def lines(texts: Iterable[str]) -> SafeString | None:
    """One below the other."""
    return format_html_join("", '<div class="mb-1">{}</div>', ((text,) for text in texts)) or None


class OfContact:
    """Columns of a row that says who got which contact, and why (R30)."""

    @admin.display(description=gettext_lazy("identifier kind"))
    def kind_shown(self, row: Any) -> str:
        return kind_label(row.kind)

    @admin.display(description=gettext_lazy("decided by"))
    def decided_shown(self, row: Any) -> str | None:
        return criterion(row.decided_by)
