"""Whom a search finds, and by which identifier."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from django.utils.translation import gettext as _

from customers.models import Customer
from customers.normalise import trim
from customers.presentation.masking import MaskingPolicy
from customers.profile import MAESTRA_ID
from customers.queries.search import SearchHit, find_hits, named_ids
from customers.setup.project_config import project_config

MOST_MATCHES = 10
"""Matches that are explained above a list."""


class SearchMatch(NamedTuple):
    kind: str
    maestra_id: int
    sentence: str


class SearchOutcome:
    """Whom a text leads to."""

    def __init__(self, text: str, masking: MaskingPolicy) -> None:
        self.text = trim(text)
        self.masking = masking

    @cached_property
    def found(self) -> list[SearchHit]:
        return find_hits(self.text, project_config()) if self.text and "\0" not in self.text else []

    @cached_property
    def only(self) -> int | None:
        """The one customer that the text leads to, by an identifier or by name; None for none or several."""
        if not self.text or "\0" in self.text:
            return None
        primary_ids, named = {found.primary_id for found in self.found}, named_ids(self.text)
        if len(primary_ids) > 1 or named is None:
            return None
        present = Customer.objects.filter(is_head=True, erased_at=None, pk__in=primary_ids | named)
        only = present.order_by("-pk").values_list("pk", flat=True)[:2]
        return only[0] if len(only) == 1 else None

    @property
    def notice(self) -> str:
        """How the only one was found."""
        sentences = [match.sentence for match in self.matches]
        return " ".join(sentences) or _("Found by name: “%s”.") % self.text

    @property
    def matches(self) -> list[SearchMatch]:
        """The identifiers that matched, each with whom it leads to."""
        return [SearchMatch(f.kind, f.primary_id, self._sentence(f)) for f in self.found[:MOST_MATCHES]]

    def _sentence(self, found: SearchHit) -> str:
        words = {"value": self._value(found), "customer": found.primary_id}
        if found.kind == MAESTRA_ID and found.is_former:
            return _("%(value)s was merged into customer %(customer)s.") % words
        if found.is_former:
            return _("%(value)s is a former value of customer %(customer)s.") % words
        return _("%(value)s belongs to customer %(customer)s.") % words

    def _value(self, found: SearchHit) -> str:
        label = _("MaestraID") if found.kind == MAESTRA_ID else project_config().labels[found.kind]
        return f"{label} {self.masking.value(found.kind, found.value)}"
