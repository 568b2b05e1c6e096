"""Entries about the person: created, personal data, custom fields, notes, erased."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.changes import (
    Created,
    CustomFieldsChanged,
    Erased,
    NoteAdded,
    PersonalDataChanged,
    RegisteredEarlier,
    TimeZoneChanged,
)
from customers.history_kinds.base import (
    Facts,
    FactsOf,
    HistoryEntry,
    HistoryKind,
    HistoryRows,
    HistoryTopic,
    Labels,
    capitalized,
    entry,
    keeper,
    named,
)
from customers.profile import BY_HAND
from customers.words import FIELDS


def _created_facts(c: Created) -> HistoryRows:
    return entry(c, "created", registered_at=c.registered_at)


def _registered_facts(c: RegisteredEarlier) -> HistoryRows:
    return entry(c, "registered", before=c.before.isoformat(), after=c.after.isoformat())


def _personal_facts(c: PersonalDataChanged) -> HistoryRows:
    return entry(c, "personal_data", reason=c.why, before=c.before.present(), after=c.after.present())


def _time_zone_facts(c: TimeZoneChanged) -> HistoryRows:
    before, after = ({"time_zone": zone} if zone else {} for zone in (c.before, c.after))
    return entry(c, "personal_data", reason=c.why, before=before, after=after)


def _custom_fields_facts(c: CustomFieldsChanged) -> HistoryRows:
    return entry(c, "custom_fields", reason=c.why, before=c.before, after=c.after)


def _note_facts(c: NoteAdded) -> HistoryRows:
    n = c.note
    facts: HistoryEntry = {"type": n.kind, "value": n.value, "decided_by": n.decided_by}
    return entry(c, "note", reason=n.reason, related=n.related, **facts)


def _erased_facts(c: Erased) -> HistoryRows:
    stated: HistoryEntry = {"stated": c.stated} if c.stated else {}
    return entry(c, "erased", **stated)


def _created_sentence(_facts: Facts, _labels: Labels) -> str:
    return _("The customer was created.")


def _registered_sentence(facts: Facts, _labels: Labels) -> str:
    dates = {name: facts[name][:10] for name in ("before", "after")}
    return _("Registered on %(after)s, earlier than known before (%(before)s).") % dates


def _fields_sentence(facts: Facts, labels: Labels) -> str:
    """Each field that changed, with its values before and after."""
    before, after = facts["before"], facts["after"]
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    parts = [_field(name, before.get(name), after.get(name), labels) for name in changed]
    return capitalized("; ".join(parts)) + "."


def _field(name: str, before: Any, after: Any, labels: Labels) -> str:
    label = _(FIELDS[name]) if name in FIELDS else labels.names.get(name, name)
    words = {"field": label, "old": _shown(before)}
    if after is None:
        return _("%(field)s “%(old)s” was cleared") % words
    words["new"] = _shown(after)
    if before is None:
        return _("%(field)s is now “%(new)s”") % words
    return _("%(field)s changed from “%(old)s” to “%(new)s”") % words


def _shown(value: Any) -> str:
    match value:
        case bool():
            return _("yes") if value else _("no")
        case list():
            return ", ".join(map(str, value))
    return str(value)


def _note_sentence(facts: Facts, labels: Labels) -> str:
    if facts.get("reason") == BY_HAND:
        return _("Note: %(text)s") % {"text": facts["value"]}
    words = {"value": named(facts, labels)}
    if facts.get("decided_by") and facts.get("related"):
        text = _("Note: %(value)s stays with %(customer)s, because %(because)s.")
        return text % {**words, **keeper(facts, labels)}
    return _("Note: %(value)s did not come back with the undo: the profile no longer held it.") % words


def _erased_sentence(facts: Facts, _labels: Labels) -> str:
    if facts.get("stated"):
        return _("The customer was erased. Reason given: %(stated)s") % facts
    return _("The customer was erased.")


KINDS: tuple[HistoryKind, ...] = (
    HistoryKind(
        name="created", label=gettext_noop("Created"), sentence=_created_sentence, topic=HistoryTopic.ORIGIN
    ),
    HistoryKind(name="registered", label=gettext_noop("Registration"), sentence=_registered_sentence),
    HistoryKind(
        name="personal_data", label=gettext_noop("Personal data"), sentence=_fields_sentence, has_fields=True
    ),
    HistoryKind(
        name="custom_fields", label=gettext_noop("Custom fields"), sentence=_fields_sentence, has_fields=True
    ),
    HistoryKind(name="note", label=gettext_noop("Note"), sentence=_note_sentence, needs_other=True),
    HistoryKind(name="erased", label=gettext_noop("Erased"), sentence=_erased_sentence),
)
FACTS: FactsOf = {
    Created: _created_facts,
    RegisteredEarlier: _registered_facts,
    PersonalDataChanged: _personal_facts,
    TimeZoneChanged: _time_zone_facts,
    CustomFieldsChanged: _custom_fields_facts,
    NoteAdded: _note_facts,
    Erased: _erased_facts,
}
