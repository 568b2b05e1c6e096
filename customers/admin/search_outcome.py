"""Whom a search finds, and by which identifier."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.admin.profile_registry import masking_of
from customers.normalise import trim
from customers.profile import MAESTRA_ID
from customers.queries.search import CustomerSearch, SearchHit
from customers.setup.project_config import project_config

MOST_MATCHES = 10
"""Matches that are explained above a list."""


SEARCHED_CUSTOMER = gettext_lazy("A MaestraID, an identifier or the name of the customer")
"""What is typed where a customer is looked for, beside the field."""


def customer_search(request: HttpRequest, text: str) -> CustomerSearch:
    """Whom the text finds for a reader."""
    return CustomerSearch(text, project_config(), masking_of(request))


class SearchMatch(NamedTuple):
    kind: str
    maestra_id: int
    sentence: str


class SearchOutcome:
    """Whom a text leads to."""

    def __init__(self, request: HttpRequest, text: str) -> None:
        self.text = trim(text)
        self.masking = masking_of(request)
        self._search = customer_search(request, self.text)

    @cached_property
    def found(self) -> list[SearchHit]:
        return self._search.hits() if self.text and "\0" not in self.text else []

    @cached_property
    def only(self) -> int | None:
        """The one customer that the text leads to, by an identifier, by name or by a part of a contact; None
        for none or several.
        """
        if not self.text or "\0" in self.text:
            return None
        found = self._search.primary_ids(2)
        return found[0] if len(found) == 1 else None

    @property
    def notice(self) -> str:
        """How the only one was found."""
        sentences = [match.sentence for match in self.matches]
        return " ".join(sentences) or _("Found by name or by a part of a contact: “%s”.") % self.text

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
