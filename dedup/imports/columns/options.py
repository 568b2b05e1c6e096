"""How the rows of a file are read: what the sender of a file chooses besides the columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from customers import normalise
from customers.errors import invalid
from customers.models import Channels
from customers.normalise import Invalid
from customers.profile import MAESTRA_ID, SubscriptionStatus
from customers.setup.project_config import ProjectConfig
from dedup.engine.record import Mode
from dedup.imports.files import encodings
from dedup.imports.files.delimited import is_delimiter
from dedup.imports.files.inspection import Chosen
from dedup.parsing.cells import yes_or_no
from segments.references import NamedSegmentation

BY_POSITION = "position"
OF_FILE = ("encoding", "delimiter", "sheet", "header_row", "duplicate_headers")
"""The options about the file as a whole, which each file has its own of."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the rows of a file are read.

    `segment` is a (segmentation, segment), by system names, that every row's customer is put into. Dates
    whose day and month could be either way round are read by `day_first`; times without an offset are of
    `time_zone`; phones without a country of `default_region`, by default the project's. `drop_invalid`: R11;
    `mode`: R44; `lookup_by`: R17, by default the integration point's. `subscriptions` are statuses of every
    row, by `channel` or `channel.topic`, where no column says otherwise. `newer_consents`: that the file
    proves consents newer than a refusal (R56), which takes a column with their dates; False leaves out
    whoever refused, whatever the file proves; where it is not said, dates count as those of any record.

    What is not said of the file is detected. The column names stand in the line `header_row`, and may occur
    twice where `duplicate_headers` is `position`.
    """

    lookup_by: tuple[str, ...] = ()
    mode: Mode = Mode.OVERWRITE
    drop_invalid: bool = False
    day_first: bool | None = None
    default_region: str | None = None
    time_zone: str = "UTC"
    segment: tuple[str, str] | None = None
    subscriptions: Mapping[str, str] = field(default_factory=dict)
    newer_consents: bool | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    duplicate_headers: str | None = None

    @classmethod
    def read(
        cls, data: Mapping[str, Any], config: ProjectConfig, segmentations: Mapping[str, NamedSegmentation]
    ) -> Options:
        """From an API body, a form, or what `to_json` gave; what is empty stays as by default.

        Raises `validation_error` naming each option at fault.
        """
        readers = _readers(config, segmentations)
        found: dict[str, Any] = {}
        errors = [
            (f"options.{name}", gettext("There is no such option.")) for name in data if name not in readers
        ]
        for name in readers.keys() & data.keys():
            if data[name] in (None, "", [], ()):
                continue
            try:
                found[name] = readers[name](data[name])
            except Invalid as error:
                errors.append((f"options.{name}", error.message(gettext)))
        if errors:
            raise invalid(*sorted(errors))
        return cls(**found)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def of_file(self) -> Chosen:
        """What is said of the file as a whole."""
        by_position = self.duplicate_headers == BY_POSITION
        return Chosen(self.encoding, self.delimiter, self.sheet, self.header_row, by_position)


def _readers(
    config: ProjectConfig, segmentations: Mapping[str, NamedSegmentation]
) -> Mapping[str, Callable[[Any], Any]]:
    return {
        "lookup_by": lambda raw: _lookup_by(raw, config),
        "mode": _mode,
        "drop_invalid": _boolean,
        "newer_consents": _boolean,
        "day_first": _boolean,
        "default_region": normalise.region,
        "time_zone": normalise.time_zone,
        "segment": lambda raw: _segment(raw, segmentations),
        "subscriptions": _subscriptions,
        "encoding": _encoding,
        "delimiter": _delimiter,
        "sheet": _sheet,
        "header_row": _header_row,
        "duplicate_headers": _duplicate_headers,
    }


def _lookup_by(raw: Any, config: ProjectConfig) -> tuple[str, ...]:
    """A list of kinds, or their names with commas between them."""
    names = [name.strip() for name in raw.split(",")] if isinstance(raw, str) else raw
    known = {MAESTRA_ID, *config.kinds}
    if not isinstance(names, Sequence) or not all(isinstance(name, str) and name in known for name in names):
        raise Invalid(_("List identifier kinds by their system names, as in maestra_id, crm_id."))
    return tuple(dict.fromkeys(names))


def _mode(raw: Any) -> Mode:
    try:
        return Mode(raw)
    except ValueError:
        raise Invalid(_("It is one of: overwrite, fill.")) from None


def _boolean(raw: Any) -> bool:
    value = raw if isinstance(raw, bool) else yes_or_no(raw)
    if value is None:
        raise Invalid(_("Write true or false."))
    return value


def _segment(raw: Any, segmentations: Mapping[str, NamedSegmentation]) -> tuple[str, str]:
    """As `loyalty.gold`, or a pair."""
    parts = raw.split(".") if isinstance(raw, str) else raw
    if not isinstance(parts, Sequence) or len(parts) != 2 or not all(isinstance(p, str) for p in parts):
        raise Invalid(_("Write segmentation and segment by their system names, as in loyalty.gold."))
    segmentation = segmentations.get(parts[0])
    if segmentation is None or parts[1] not in segmentation.segments:
        raise Invalid(_("There is no such segment."))
    if not segmentation.is_static:
        raise Invalid(_("Its segments are calculated: nobody is put in or out by hand."))
    return parts[0], parts[1]


def _encoding(raw: Any) -> str:
    if found := encodings.known(raw) if isinstance(raw, str) else None:
        return found
    raise Invalid(encodings.unknown())


def _delimiter(raw: Any) -> str:
    """One character; `tab` and `\\t` stand for a tab."""
    text = {"tab": "\t", "\\t": "\t"}.get(raw, raw) if isinstance(raw, str) else ""
    if not is_delimiter(text):
        raise Invalid(_("A delimiter is one character, such as ; or a tab, and no letter."))
    return text


def _sheet(raw: Any) -> str:
    if not isinstance(raw, str):
        raise Invalid(_("Write the name of the sheet."))
    return raw


def _header_row(raw: Any) -> int:
    number = int(raw) if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 7 else raw
    if type(number) is not int or not 1 <= number <= 1_000_000:
        raise Invalid(_("Write the number of the line with the column names, counted from 1."))
    return number


def _duplicate_headers(raw: Any) -> str:
    if raw != BY_POSITION:
        raise Invalid(_("It is position, or left out."))
    return BY_POSITION


def _subscriptions(raw: Any) -> Mapping[str, str]:
    """As `{"email": "unsubscribed", "email.news": "subscribed"}`; at the command line with = and commas."""
    if isinstance(raw, str):
        raw = dict(pair.strip().partition("=")[::2] for pair in raw.split(","))
    channels, statuses = frozenset(Channels.values), frozenset(SubscriptionStatus)
    if not isinstance(raw, Mapping) or not all(
        isinstance(name, str) and name.partition(".")[0] in channels and status in statuses
        for name, status in raw.items()
    ):
        raise Invalid(
            _('Write channels with a status, as in {"email": "unsubscribed"}. Channels: %(channels)s.'),
            channels=", ".join(Channels.values),
        )
    return dict(raw)
