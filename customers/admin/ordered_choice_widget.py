"""A choice of several in an order: one list below the other, the first choice first. Needs no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from customers.models import IdentifierKind
from customers.profile import MAESTRA_ID

FEWEST, SPARE = 3, 1
"""Places that there are at least, and free ones behind what is chosen."""


class InOrder(forms.Widget):
    """Selects, all of one name. `select` gives each its look."""

    choices: Any = ()

    def __init__(self, select: forms.Select) -> None:
        super().__init__()
        self.select = select

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = list(value or ())
        self.select.choices = [("", "–"), *self.choices]
        places = min(max(FEWEST, len(chosen) + SPARE), len(self.select.choices) - 1)
        shown = [*chosen, *[""] * (places - len(chosen))]
        lists = [self._place(n, name, one, attrs or {}, renderer) for n, one in enumerate(shown, start=1)]
        return format_html('<div class="sf-in-order">{}</div>', format_html_join("", "{}", zip(lists)))

    def _place(
        self, number: int, name: str, value: str, attrs: Mapping[str, Any], renderer: Any
    ) -> SafeString:
        own = {**attrs, "aria-label": _("Place %d") % number}
        if number > 1:
            own["id"] = f"{attrs.get('id', name)}_{number}"
        return self.select.render(name, value, own, renderer)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        given = data.getlist(name) if hasattr(data, "getlist") else data.get(name, ())
        return [value for value in given if value]


class InOrderField(forms.MultipleChoiceField):
    """Each may be chosen once."""

    def validate(self, value: Sequence[str]) -> None:
        super().validate(value)
        if len(set(value)) < len(value):
            raise ValidationError(_("Choose each only once."), code="chosen_twice")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or ()) != list(data or ())


def lookup_kinds() -> list[tuple[str, str]]:
    """What an upsert may look up by (R13): any kind but the payment card hash, which is none."""
    kinds = IdentifierKind.objects.order_by("id").values_list("system_name", "name")
    return [(MAESTRA_ID, _("MaestraID")), *kinds]
