"""What conditions can refer to in this project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.custom_values import CustomType


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceWords:
    """`missing` says that there is no such thing, `prompt` asks to choose one."""

    missing: Promise
    prompt: Promise


class Refers(Enum):
    """What a condition can refer to by system name; to a segment by `segmentation/segment`."""

    IDENTIFIER_KIND = ReferenceWords(
        gettext_lazy("There is no identifier kind “%(name)s” (any more)."), gettext_lazy("Choose a kind")
    )
    CUSTOM_FIELD = ReferenceWords(
        gettext_lazy("There is no custom field “%(name)s” (any more)."), gettext_lazy("Choose a field")
    )
    POINT = ReferenceWords(
        gettext_lazy("There is no integration point “%(name)s” (any more)."), gettext_lazy("Choose a point")
    )
    SEGMENT = ReferenceWords(
        gettext_lazy("There is no segment “%(name)s” (any more)."), gettext_lazy("Choose a segment")
    )


@dataclass(frozen=True, slots=True)
class ConditionContext:
    """What exists in the project for conditions to refer to: labels by system name, and the types of the
    custom fields.
    """

    labels: Mapping[Refers, Mapping[str, str]]
    custom_types: Mapping[str, CustomType]

    def label(self, to: Refers, name: str) -> str:
        return self.labels[to].get(name) or _("“%(name)s” (deleted)") % {"name": name}
