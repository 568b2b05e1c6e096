"""The form of a customer: what can be changed, and what was changed as the body of the API's edit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from customers.admin.contacts import token_of
from customers.admin.profile_registry import (
    ShownProfile,
)
from customers.admin.profile_tabs import as_text
from customers.admin.wording import personal_field
from customers.custom_values import CustomType
from customers.errors import SelfsameError
from customers.models import Channels, Statuses
from customers.profile import (
    CONTACTS,
    PERSONAL_FIELDS,
    PERSONAL_TYPES,
    WITH_PRIMARY,
    Category,
    Channel,
    Key,
    Kind,
    Profile,
)
from customers.words import CHANNELS, FIELDS
from dedup.parsing.person import NOT_KNOWN

NO_CHOICE = ("", "–")
CLEAR, PRIMARY = "clear", "primary"
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FormSection:
    title: str
    fields: list[forms.BoundField]
    help: str = ""


class EditForm(forms.Form):
    """Fields have the names the API has for them, so that its errors find their place. Each field carries the
    value it showed, so that only what was changed is sent.
    """

    def __init__(self, shown: ShownProfile, data: Any = None) -> None:
        super().__init__(data)
        self.shown = shown
        self.parts: list[tuple[str, str, list[str]]] = []
        for title, help_text, fields in sections(shown):
            self.parts.append((title, help_text, list(fields)))
            self.fields.update(fields)
        for field in self.fields.values():
            field.required = False
            field.show_hidden_initial = True

    def sections(self) -> list[FormSection]:
        return [FormSection(title, [self[name] for name in names], help) for title, help, names in self.parts]

    def refused(self, error: SelfsameError) -> None:
        """Put each error at its field, and the others above the form."""
        for fault in error.data.get("errors") or [{"path": "", "message": error.detail}]:
            name = re.sub(r"(\[\d+\])?(\.(value|is_primary))?$", "", fault["path"])
            self.add_error(name if name in self.fields else None, fault["message"])


Fields = dict[str, forms.Field]


def sections(shown: ShownProfile) -> Iterator[tuple[str, str, Fields]]:
    kinds = shown.config.kinds.values()
    yield (
        _("Personal data"),
        _("Saved as one set: check the other fields when you change one."),
        {
            **personal_fields(shown.profile),
            "time_zone": _text(
                _(FIELDS["time_zone"]), shown.profile.time_zone, help_text=_("For example Europe/Berlin")
            ),
        },
    )
    if shown.config.custom_fields:
        yield _("Custom fields"), "", custom_fields(shown)
    for kind in kinds:
        if kind.category in CONTACTS:
            yield shown.config.labels[kind.name], "", contact_fields(shown, kind)
    ids = {
        f"ids.{kind.name}": id_field(shown, kind)
        for kind in kinds
        if kind.category in (Category.UNIQUE, Category.IDENTIFIER)
    }
    if ids:
        yield (
            _("IDs"),
            _("A new value becomes the current one. The previous value still finds the customer."),
            ids,
        )
    yield _("Subscriptions"), "", subscription_fields(shown)


def personal_fields(profile: Profile) -> Fields:
    fields: Fields = {}
    for name in PERSONAL_FIELDS:
        fields[f"personal.{name}"] = _personal_field(name, getattr(profile.personal, name))
    return fields


def _personal_field(name: str, value: Any) -> forms.Field:
    label, choices = _(FIELDS[name]), personal_field(name).flatchoices
    if choices:
        return _choice(label, [NO_CHOICE, *(choice for choice in choices if choice[0] != NOT_KNOWN)], value)
    if PERSONAL_TYPES[name] is date:
        return _text(label, value and value.isoformat(), type="date")
    return _text(label, value)


def custom_fields(shown: ShownProfile) -> Fields:
    fields: Fields = {}
    for name, definition in shown.config.custom_fields.items():
        label, value = shown.config.labels[name], shown.profile.custom_fields.get(name)
        match definition.type:
            case CustomType.BOOLEAN:
                choices = [NO_CHOICE, ("true", _("yes")), ("false", _("no"))]
                initial = None if value is None else str(value).lower()
                fields[f"custom_fields.{name}"] = _choice(label, choices, initial)
            case CustomType.LIST:
                text = "\n".join(value or ())
                fields[f"custom_fields.{name}"] = _text(
                    label, text, help_text=_("One entry per line."), rows=3
                )
            case _:
                fields[f"custom_fields.{name}"] = _text(label, None if value is None else as_text(value))
    return fields


def contact_fields(shown: ShownProfile, kind: Kind) -> Fields:
    """Fields for a new value, for the primary one of several, and for clearing them all."""
    held = sorted(shown.profile.held(kind.category), key=lambda h: (not h.is_primary, h.since, h.value))
    fields: Fields = {kind.name: _text(_("New value"), None)}
    if kind.category in WITH_PRIMARY and len(held) > 1:
        choices = [(token_of(h.key), shown.masking.value(h.kind, h.value)) for h in held]
        primary = next((token_of(h.key) for h in held if h.is_primary), None)
        fields[f"{kind.name}.{PRIMARY}"] = _choice(_("Primary"), choices, primary)
    claims = [claim for claim in shown.profile.claims.values() if claim.kind == kind.name]
    if held or claims:
        keys = [*(h.key for h in held), *(claim.key for claim in claims)]
        listed = ", ".join(shown.masking.value(*key) for key in keys)
        fields[f"{kind.name}.{CLEAR}"] = forms.BooleanField(label=_("Clear all"), help_text=listed)
    return fields


def id_field(shown: ShownProfile, kind: Kind) -> forms.Field:
    label = shown.config.labels[kind.name]
    if kind.category is Category.UNIQUE:
        current = shown.profile.current(kind.name)
        return _text(label, current and current.value)
    held = ", ".join(h.value for h in shown.profile.holdings.values() if h.kind == kind.name)
    return _text(_("%s: new value") % label, None, help_text=held)


def subscription_fields(shown: ShownProfile) -> Fields:
    fields: Fields = {}
    for channel, row in sorted(shown.profile.subscriptions.items()):
        name = _(CHANNELS[channel.channel])
        label = f"{name}: {channel.topic}" if channel.topic else name
        fields[subscription_name(channel)] = _choice(label, Statuses.choices, row.status.value)
    fields["new.channel"] = _choice(_("New subscription"), [NO_CHOICE, *Channels.choices], None)
    fields["new.topic"] = _text(_("topic of the new subscription"), None)
    fields["new.status"] = _choice(_("status of the new subscription"), Statuses.choices, Statuses.SUBSCRIBED)
    return fields


def subscription_name(channel: Channel) -> str:
    return f"subscription.{channel.channel}.{channel.topic}"


def _text(
    label: str, initial: Any, *, help_text: str = "", rows: int = 0, **attributes: str
) -> forms.CharField:
    attributes.setdefault("autocomplete", "off")
    widget = forms.Textarea({"rows": rows}) if rows else forms.TextInput(attributes)
    return forms.CharField(label=capfirst(label), initial=initial or "", help_text=help_text, widget=widget)


def _choice(label: str, choices: Iterable[tuple[Any, Any]], initial: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=capfirst(label), choices=list(choices), initial=initial or "")


def body_of(form: EditForm) -> Body:
    """What was changed, as the body of the API's edit. Empty where nothing was."""
    changed = {name: form.cleaned_data[name] for name in form.changed_data}
    body: Body = {}
    if any(name.startswith("personal.") for name in changed):
        body["personal"] = {name: form.cleaned_data[f"personal.{name}"] or None for name in PERSONAL_FIELDS}
    if "time_zone" in changed:
        body["time_zone"] = changed["time_zone"] or None
    if fields := _custom(form.shown, changed):
        body["custom_fields"] = fields
    body.update(_contacts(form.shown, changed))
    if ids := _ids(form.shown, changed):
        body["ids"] = ids
    if subscriptions := list(_subscriptions(form.shown, changed, form.cleaned_data)):
        body["subscriptions"] = subscriptions
    return body


def _below(prefix: str, changed: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in changed.items():
        if name.startswith(f"{prefix}."):
            yield name.removeprefix(f"{prefix}."), value


def _custom(shown: ShownProfile, changed: Mapping[str, Any]) -> Body:
    types = {name: definition.type for name, definition in shown.config.custom_fields.items()}
    return {
        name: (value.splitlines() if types[name] is CustomType.LIST else value) or None
        for name, value in _below("custom_fields", changed)
    }


def _contacts(shown: ShownProfile, changed: Mapping[str, Any]) -> Body:
    """A new value becomes primary, as in any edit (R43), unless another one is chosen."""
    body: Body = {}
    for kind in shown.config.kinds.values():
        if kind.category not in CONTACTS:
            continue
        primary = _by_token(shown.profile, kind, changed.get(f"{kind.name}.{PRIMARY}"))
        values: list[Any] = [{"value": primary, "is_primary": True}] if primary else []
        if changed.get(kind.name):
            values.append(changed[kind.name])
        if changed.get(f"{kind.name}.{CLEAR}"):
            body[kind.name] = None
        elif values:
            body[kind.name] = values if len(values) > 1 else values[0]
    return body


def _by_token(profile: Profile, kind: Kind, token: str | None) -> str | None:
    keys: Iterable[Key] = profile.holdings
    return next((key.value for key in keys if key.kind == kind.name and token_of(key) == token), None)


def _ids(shown: ShownProfile, changed: Mapping[str, Any]) -> Body:
    """An emptied unique ID is cleared; of the others a new value is added."""
    kinds = shown.config.kinds
    return {
        name: value or None
        for name, value in _below("ids", changed)
        if value or kinds[name].category is Category.UNIQUE
    }


def _subscriptions(
    shown: ShownProfile, changed: Mapping[str, Any], cleaned: Mapping[str, Any]
) -> Iterator[Body]:
    for channel in sorted(shown.profile.subscriptions):
        if status := changed.get(subscription_name(channel)):
            yield {"channel": channel.channel, "topic": channel.topic, "status": status}
    if changed.get("new.channel"):
        yield {name: cleaned[f"new.{name}"] for name in ("channel", "topic", "status")}
