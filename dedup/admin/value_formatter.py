"""Stored values as a member of staff may read them: with the project's labels, masked where they must be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from customers.admin.profile_registry import masking_of
from customers.presentation.masking import MaskingPolicy
from customers.setup.project_config import ProjectConfig, project_config


@dataclass(frozen=True, slots=True)
class ValueFormatter:
    config: ProjectConfig
    masking: MaskingPolicy
    sees_cards: bool

    @classmethod
    def of(cls, request: HttpRequest) -> ValueFormatter:
        may = request.user.has_perm
        return cls(project_config(), masking_of(request), sees_cards=may("customers.view_paymentcard"))

    def label(self, system_name: str) -> str:
        """Of an identifier kind or custom field."""
        return self.config.labels.get(system_name, system_name)

    def value(self, kind: str, value: str) -> str:
        return self.masking.value(kind, value)

    def named(self, kind: str, value: str) -> str:
        """`E-mail ann@example.com`."""
        return f"{self.label(kind)} {self.value(kind, value)}"


def text_of(value: Any) -> str:
    """A value without a kind, times in the reader's zone."""
    match value:
        case bool():
            return _("yes") if value else _("no")
        case datetime():
            return formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
        case date():
            return formats.date_format(value, "DATE_FORMAT")
        case Decimal():
            return formats.number_format(value, use_l10n=True)
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)
