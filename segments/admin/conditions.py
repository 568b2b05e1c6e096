"""The condition of a segment in a form: built in the browser without code, checked here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.errors import SelfsameError
from customers.models import ProjectSettings
from customers.setup.project_config import project_config
from segments.conditions.builder import described_types
from segments.conditions.tree import Group, faults, parse, stored_form
from segments.dependencies import cycle
from segments.models import Segment
from segments.references import condition_context, graph_of_stored, segment_path


class ConditionWidget(forms.Textarea):
    """The builder; without scripts, the condition as JSON."""

    template_name = "segments/condition.html"

    class Media:
        css = {"all": ["segments/builder.css"]}
        js = ["segments/builder.js"]

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        described = described_types(condition_context(project_config()))
        return {**context, "described": described, "described_id": f"{name}_types"}


class SegmentForm(forms.ModelForm[Segment]):
    """The system name cannot be changed: data is sent by it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "system_name" in self.fields:
            self.fields["system_name"].disabled = self.instance.pk is not None
        for field in self.fields.values():  # in a table of segments no label stands beside an input
            field.widget.attrs["aria-label"] = field.label


class ConditionForm(SegmentForm):
    condition = forms.JSONField(required=False, widget=ConditionWidget, label=gettext_lazy("Condition"))

    def clean_condition(self) -> dict[str, Any] | None:
        """R51: what it refers to must exist, and must not be calculated from this segment."""
        data = self.cleaned_data["condition"]
        if data is None:
            return None
        try:
            condition = parse(data)
        except SelfsameError as error:
            raise ValidationError(
                [_with_path(e["path"], e["message"]) for e in error.data["errors"]]
            ) from None
        if found := faults(condition, condition_context(project_config())):
            raise ValidationError([_with_path(path, message) for path, message in found])
        self._refuse_circle(condition)
        return stored_form(condition)

    def _refuse_circle(self, condition: Group) -> None:
        # One change of set-up at a time: otherwise two halves of a circle could be saved at the same moment.
        ProjectSettings.objects.select_for_update().get()
        if circle := cycle(graph_of_stored({segment_path(self.instance): condition})):
            message = _("Segmentations cannot be calculated from each other in a circle: %(circle)s.")
            raise ValidationError(message, params={"circle": " → ".join(circle)})


def _with_path(path: str, message: str) -> str:
    return f"{path}: {message}" if path else message
