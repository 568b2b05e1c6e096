"""The forms of an import: the file, how its rows are read, and where its columns go."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Case, Value, When
from django.http import QueryDict
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.admin.ordered_choice_widget import InOrder, InOrderField, lookup_kinds
from customers.errors import SelfsameError
from customers.models import IntegrationPoint, PointKinds
from customers.setup.project_config import project_config
from dedup.admin.permissions import ADD_IMPORTS, MERGE
from dedup.engine.record import Mode
from dedup.imports.columns.mapping import targets
from dedup.imports.columns.options import BY_POSITION, OF_FILE, Options
from dedup.imports.files.encodings import CHOICES
from dedup.imports.files.inspection import FileFormat, rows
from dedup.imports.processing.redaction import ERASED_CELLS
from dedup.imports.processing.staged_rows import rows_of_chunk
from dedup.models import Import, ImportKind, ImportKinds
from dedup.parsing.consent import SINCE
from dedup.parsing.fields import Target
from segments.models import Segment, SegmentationKinds
from segments.references import NamedSegmentation, named_segmentations

SAMPLES = 5
SAMPLED = 16 * 2**20
"""Bytes up to which a compressed file or workbook is opened for samples; of text the beginning will do."""

LOOK = {"class": "decision-input"}
READING = ("encoding", "delimiter", "header_row", "duplicate_headers")
"""What an upload may say of the file as a whole; of which sheet is known only when it is here."""


def _select(**attributes: str) -> forms.Select:
    return forms.Select(attrs={**LOOK, **attributes})


# --- The file
# --------------------------------------------------------------------------------------------------------

NEEDED = {
    ImportKind.MERGES: MERGE,
    ImportKind.SEGMENT: "segments.change_membership",
}
"""The permission that a kind of import needs besides the one to import."""


def points() -> Any:
    """The enabled integration points, those that files mostly come through first."""
    usual = (PointKinds.FILE_IMPORT, PointKinds.CRM)
    of_files = Case(
        *(When(kind=kind, then=Value(n)) for n, kind in enumerate(usual)), default=Value(len(usual))
    )
    return IntegrationPoint.objects.filter(is_enabled=True).order_by(of_files, "name")


class ReadingForm(forms.Form):
    """How the file as a whole is read, where detection is wrong."""

    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        required=False,
        choices=[("", gettext_lazy("Detect")), *CHOICES.items()],
        widget=_select(),
        help_text=gettext_lazy("If letters with accents look wrong."),
    )
    delimiter = forms.ChoiceField(
        label=gettext_lazy("Separator between columns"),
        required=False,
        choices=[
            ("", gettext_lazy("Detect")),
            (",", gettext_lazy("Comma")),
            (";", gettext_lazy("Semicolon")),
            ("tab", gettext_lazy("Tab")),
            ("|", gettext_lazy("Vertical bar")),
        ],
        widget=_select(),
    )
    header_row = forms.IntegerField(
        label=gettext_lazy("Line with the column names"),
        required=False,
        min_value=1,
        widget=forms.NumberInput(attrs=LOOK),
        help_text=gettext_lazy("Counted from 1. The lines above it are left out."),
    )
    duplicate_headers = forms.ChoiceField(
        label=gettext_lazy("If two columns have the same name"),
        required=False,
        choices=[
            ("", gettext_lazy("The file is refused")),
            (BY_POSITION, gettext_lazy("Tell them apart by a number: “email (2)”")),
        ],
        widget=_select(),
    )

    def refuse(self, error: SelfsameError) -> None:
        """Put the errors of the file at its fields."""
        _refuse(self, error, "file" if "file" in self.fields else None)


class RereadForm(ReadingForm):
    """The same for a file that is here; of a workbook also which sheet."""

    sheet = forms.ChoiceField(label=gettext_lazy("Sheet"), required=False, widget=_select())

    def __init__(self, source: Import, data: QueryDict | None) -> None:
        file_format = FileFormat.from_json(source.format)
        chosen = {name: source.options.get(name) for name in OF_FILE}
        super().__init__(data, initial={**chosen, "sheet": file_format.sheet})
        if file_format.layout == "xlsx":
            del self.fields["encoding"], self.fields["delimiter"]
        if len(file_format.sheets) > 1:
            self.fields["sheet"].choices = [(name, name) for name in file_format.sheets]  # type: ignore[attr-defined]
        else:
            del self.fields["sheet"]


class UploadForm(ReadingForm):
    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.FileInput(attrs={**LOOK, "accept": ".csv,.tsv,.txt,.xlsx,.xlsm,.gz,.zip"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("The file is empty."),
        },
    )
    kind = forms.ChoiceField(label=gettext_lazy("What the file contains"), widget=_select())
    point = forms.ModelChoiceField(
        label=gettext_lazy("Integration point"),
        queryset=IntegrationPoint.objects.none(),
        empty_label=None,
        widget=_select(),
        help_text=gettext_lazy(
            "Where the data come from. The settings of the integration point decide whether contacts must be "
            "confirmed and which give account access."
        ),
    )

    def __init__(self, may: Callable[[str], bool], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["point"].queryset = points()  # type: ignore[attr-defined]
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (kind, label)
            for kind, label in ImportKinds.choices
            if may(NEEDED.get(ImportKind(kind), ADD_IMPORTS))
        ]
        most = settings.MAX_UPLOAD_SIZE
        self.fields["file"].widget.attrs["data-most"] = most
        self.fields["file"].help_text = _(
            "CSV, TSV or Excel (.xlsx), optionally compressed as .gz or .zip; up to %(most)s. One line must "
            "contain the column names."
        ) % {"most": filesizeformat(most)}

    @property
    def is_detailed(self) -> bool:
        """Whether one of the rarely needed fields was filled in."""
        return any(self.data.get(name) or name in self.errors for name in READING)


def _refuse(form: forms.Form, error: SelfsameError, otherwise: str | None) -> None:
    faults = error.data.get("errors") or [{"path": "", "message": error.detail}]
    for fault in faults:
        name = fault["path"].removeprefix("options.")
        form.add_error(name if name in form.fields else otherwise, fault["message"])


# --- How the rows are read
# --------------------------------------------------------------------------------------------------------

OF_RECORDS = (
    "mode",
    "newer_consents",
    "drop_invalid",
    "day_first",
    "default_region",
    "time_zone",
    "lookup_by",
)
ASKED = {
    ImportKind.CUSTOMERS: (*OF_RECORDS, "segment"),
    ImportKind.ORDERS: (*OF_RECORDS, "segment"),
    ImportKind.SEGMENT: ("segment", "default_region"),
    ImportKind.MERGES: ("default_region",),
}
"""The options that act on each kind of import."""


class OptionsForm(forms.Form):
    segment = forms.ChoiceField(
        label=gettext_lazy("Add everybody to the segment"), required=False, widget=_select()
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("If a customer already has a value"),
        required=False,
        choices=[
            (Mode.OVERWRITE.value, gettext_lazy("Replace it with the value of the file")),
            (Mode.FILL.value, gettext_lazy("Keep it, and only fill in what is missing")),
        ],
        widget=_select(),
    )
    newer_consents = forms.ChoiceField(
        label=gettext_lazy("If a customer had unsubscribed"),
        required=False,
        choices=[
            ("false", gettext_lazy("They stay unsubscribed")),
            (
                "true",
                gettext_lazy("These are newer consents: subscribe those whose consent is the later one"),
            ),
        ],
        widget=_select(),
        help_text=gettext_lazy("Newer consents need a column with their dates, “Subscribed since when”."),
    )
    drop_invalid = forms.ChoiceField(
        label=gettext_lazy("If a value is invalid"),
        required=False,
        choices=[
            ("", gettext_lazy("The whole row fails")),
            ("true", gettext_lazy("Leave it out, if the row still identifies a customer")),
        ],
        widget=_select(),
    )
    day_first = forms.ChoiceField(
        label=gettext_lazy("Dates such as 03/04/2026"),
        required=False,
        choices=[
            ("", gettext_lazy("The row fails")),
            ("true", gettext_lazy("The day comes first")),
            ("false", gettext_lazy("The month comes first")),
        ],
        widget=_select(),
    )
    default_region = forms.CharField(
        label=gettext_lazy("Country of phone numbers without a country code"),
        required=False,
        widget=forms.TextInput(attrs={**LOOK, "maxlength": "2", "placeholder": "US"}),
        help_text=gettext_lazy("Two letters, such as US. Empty: the country in the settings."),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone of times that have none"),
        required=False,
        widget=forms.TextInput(attrs={**LOOK, "placeholder": "Europe/Berlin"}),
    )
    lookup_by = InOrderField(
        choices=lookup_kinds,
        label=gettext_lazy("Find customers by"),
        required=False,
        widget=InOrder(forms.Select(attrs=LOOK)),
        help_text=gettext_lazy("In this order. None chosen: as set for the integration point."),
    )

    def __init__(self, source: Import, data: QueryDict | None, stored: Mapping[str, Any]) -> None:
        super().__init__(data, initial=_initial(stored))
        self.source, self.stored = source, stored
        kind = ImportKind(source.kind)
        self.fields = {name: field for name, field in self.fields.items() if name in ASKED[kind]}
        if "segment" in self.fields:
            self.fields["segment"].choices = _segments(kind)  # type: ignore[attr-defined]

    def clean_newer_consents(self) -> str:
        """Who says nothing leaves out whoever refused (R56)."""
        chosen: str = self.cleaned_data["newer_consents"]
        return chosen or "false"

    def read(self) -> Options | None:
        """The options as chosen; None where the form has errors."""
        if not self.is_valid():
            return None
        chosen = {**self.stored, **{name: self.cleaned_data[name] for name in self.fields}}
        try:
            return Options.read(chosen, project_config(), named_segmentations())
        except SelfsameError as error:
            _refuse(self, error, None)
            return None


def _initial(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the form's fields have them."""
    in_words = {True: "true", False: "false", None: ""}
    return {
        **stored,
        "newer_consents": "true" if stored.get("newer_consents") else "false",
        "drop_invalid": "true" if stored.get("drop_invalid") else "",
        "day_first": in_words[stored.get("day_first")],
        "segment": ".".join(stored.get("segment") or ()),
    }


def _segments(kind: ImportKind) -> list[tuple[str, str]]:
    static = Segment.objects.filter(segmentation__kind=SegmentationKinds.STATIC)
    found = static.select_related("segmentation").order_by("segmentation__name", "id")
    none = _("From a column") if kind is ImportKind.SEGMENT else _("None")
    return [
        ("", none),
        *(
            (f"{s.segmentation.system_name}.{s.system_name}", f"{s.segmentation.name}: {s.name}")
            for s in found
        ),
    ]


# --- Where the columns go
# --------------------------------------------------------------------------------------------------------

TOPICS = "subscriptions."


@dataclass(slots=True)
class FileColumn:
    """A column of the file, with what is chosen for it. `topic` narrows a subscription."""

    number: int
    name: str
    target: str = ""
    topic: str = ""
    samples: Sequence[str] = ()
    faults: Sequence[str] = ()

    @property
    def choice(self) -> str | None:
        topic = f".{self.topic}" if self.topic and self.target.startswith(TOPICS) else ""
        since = SINCE if topic and self.target.endswith(SINCE) else ""
        return f"{self.target.removesuffix(since)}{topic}{since}" or None


@dataclass(frozen=True, slots=True)
class TargetGroup:
    label: str
    targets: list[Target]


def offered(source: Import, segmentations: Mapping[str, NamedSegmentation]) -> list[TargetGroup]:
    """What columns can be mapped to, in groups, each group once."""
    found = targets(ImportKind(source.kind), project_config(), segmentations)
    order = {name: place for place, name in reversed(list(enumerate(t.group for t in found)))}
    ranked = sorted(found, key=lambda target: order[target.group])
    return [
        TargetGroup(label, list(some)) for label, some in groupby(ranked, key=lambda target: target.group)
    ]


def columns_of(header: Sequence[str], chosen: Sequence[str | None]) -> list[FileColumn]:
    """The columns as they are mapped."""
    return [
        FileColumn(number, name, *_parted(target or ""))
        for number, (name, target) in enumerate(zip(header, chosen, strict=True))
    ]


def _parted(target: str) -> tuple[str, str]:
    """A target and its topic: `subscriptions.email.news`, also with `.since` behind."""
    if not target.startswith(TOPICS):
        return target, ""
    since = SINCE if target.endswith(SINCE) else ""
    channel, _dot, topic = target.removeprefix(TOPICS).removesuffix(since).partition(".")
    return f"{TOPICS}{channel}{since}", topic


def columns_sent(header: Sequence[str], data: QueryDict) -> list[FileColumn]:
    """The columns as a form sends them."""
    return [
        FileColumn(
            number, name, data.get(f"target-{number}", "").strip(), data.get(f"topic-{number}", "").strip()
        )
        for number, name in enumerate(header)
    ]


def refuse_columns(columns: Iterable[FileColumn], error: SelfsameError) -> list[str]:
    """Put each error at its column; returns those about none of them."""
    faults = error.data.get("errors") or [{"path": "", "message": error.detail}]
    by_name = {column.name: column for column in columns}
    rest = []
    for fault in faults:
        if column := by_name.get(fault["path"]):
            column.faults = [*column.faults, fault["message"]]
        else:
            rest.append(fault["message"])
    return rest


def show_samples(source: Import, columns: Iterable[FileColumn]) -> None:
    """Put the first values of the file beside its columns, where they can be had at once."""
    found = _first_rows(source)
    for column in columns:
        column.samples = [row[column.number] for row in found if row[column.number]]


def _first_rows(source: Import) -> Sequence[Sequence[str]]:
    if source.dry_run:
        texts = rows_of_chunk(source.dry_run, 0)[:SAMPLES]
        return [json.loads(row.cells) for row in texts if row.fault is None and row.cells != ERASED_CELLS]
    file_format = FileFormat.from_json(source.format)
    is_text = file_format.container == "plain" and file_format.layout == "delimited"
    if not is_text and source.size > SAMPLED:
        return []
    blocks = source.blocks.order_by("number").values_list("data", flat=True)
    with TemporaryDirectory(prefix="selfsame-import-") as folder:
        path = Path(folder) / "file"
        path.write_bytes(b"".join(blocks[:1] if is_text else blocks))
        try:
            valid = (row.cells for row in rows(path, file_format) if row.fault is None)
            return list(islice(valid, SAMPLES))
        except SelfsameError:  # reported when the file is read
            return []
