"""Finding customers by whatever somebody types into a search box: a MaestraID, an identifier in any spelling,
words of the name in any order, a part of a contact. Every search goes by index.

What a typed word has in common with a name is decided by the database alone: `customers_name_words` makes the
words of both, and the index of names is made by it (`customers.models.people.name_words`). So there is no
second copy of the names that could differ from them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.contrib.postgres.aggregates import BoolOr
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchQueryField
from django.db.models import BigIntegerField, BooleanField, F, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast
from django.db.models.lookups import GreaterThanOrEqual

from customers.contact_types import BY_NAME
from customers.models import Customer, Identifier
from customers.models.identifiers import EMAIL_DOMAIN, PHONE_ENDING, PHONE_ENDING_LENGTH
from customers.models.people import NAME_WORDS
from customers.normalise import Invalid, email, trim
from customers.presentation.masking import MaskingPolicy
from customers.profile import EMAIL, MAESTRA_ID, MOBILE_PHONE, Kind
from customers.setup.project_config import ProjectConfig, normalisers
from customers.storage.loading import HIGHEST_MAESTRA_ID, primary_ids_of
from customers.storage.sql import array, fetch, fetch_value

Customers = QuerySet[Customer]

# Holders of any of the values, which come as parallel arrays of kind, name of the kind and value. The fourth
# parameter are the kinds of which former values find their customer too (R3), the fifth those of which only
# values that give account access find theirs (R20).
_HOLDERS = """
SELECT i.customer_id, k.name, i.value, i.is_former
  FROM unnest(%s::smallint[], %s::text[], %s::text[]) AS k(kind, name, value)
  JOIN customers_identifier i ON i.kind_id = k.kind AND i.value = k.value
 WHERE i.customer_id IS NOT NULL
   AND (NOT i.is_former OR i.kind_id = ANY(%s::smallint[]))
   AND (i.gives_access OR i.kind_id <> ALL(%s::smallint[]))
"""

MANY = 5000
"""Up to so many customers of a name or a part of a contact are read from its index first. Where there are
more, going through the customers one after the other soon meets enough of them for a page.
"""
MOST_NAMED = 10
"""Customers to choose from where one is asked for and the text finds several."""
SHORTEST_BEGINNING = 3
"""Characters from which on a text is looked for at the beginning of e-mail addresses."""

_PHONE_PART = re.compile(r"[\d\s()./-]+", re.ASCII)
_DOMAIN = re.compile(r"@?([^\s@]+\.[^\s@]+)")


class SearchHit(NamedTuple):
    """A customer whom a text found: by a value of which kind (`maestra_id` for a MaestraID), and whether that
    is a former one (R1, R3).
    """

    primary_id: int
    kind: str
    value: str
    is_former: bool


class _Meaning(NamedTuple):
    """One way to read the text: `found` are the MaestraIDs it leads to, read by index, `condition` says of a
    customer whether it leads to them. What `narrowed` asks is asked of few only: it takes long.
    """

    found: QuerySet[Customer, int] | QuerySet[Identifier, int]
    condition: Q
    narrowed: Q = Q()

    def ids(self) -> set[int]:
        """The MaestraIDs, former ones too, that the text leads to; more than `MANY` where there are more."""
        ids = set(self.found[: MANY + 1])
        if not self.narrowed or len(ids) > MANY:
            return ids
        return set(Customer.objects.filter(self.narrowed, _is_one_of(ids)).values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class CustomerSearch:
    """Whom a text finds. Parts of contacts are looked for where it is nobody's whole identifier, and not for
    a reader whose contacts are masked: they could guess them character by character. Of `access_kinds` only
    values that give account access are found (R20).
    """

    text: str
    config: ProjectConfig
    masking: MaskingPolicy
    access_kinds: Collection[str] = ()

    def hits(self) -> list[SearchHit]:
        """The customers whom the text finds as a MaestraID or as a whole value of any kind."""
        return find_hits(self.text, self.config, self.access_kinds)

    def among(self, customers: Customers) -> Customers:
        """Those of the customers whom the text finds."""
        identified = {hit.primary_id for hit in self.hits()}
        meanings = self._meanings(has_hits=bool(identified))
        found = identified.union(*(meaning.ids() for meaning in meanings))
        if len(found) <= MANY:
            return customers.filter(_is_one_of(found))
        conditions = [meaning.condition for meaning in meanings]
        return customers.filter(reduce(or_, conditions, Q(_is_one_of(identified))))

    def primary_ids(self, most: int) -> list[int]:
        """The customers whom the text finds, `most` at most, the newest first."""
        found = self.among(Customer.objects.filter(is_head=True, erased_at=None))
        return list(found.order_by("-pk").values_list("pk", flat=True)[:most])

    def named_ids(self, most: int) -> list[int]:
        """Whom the text names where one customer is asked for: whoever has it as an identifier, otherwise all
        whom it finds, `most` at most.
        """
        return sorted({hit.primary_id for hit in self.hits()})[:most] or self.primary_ids(most)

    def condition(self, customer: str) -> Q:
        """That the text finds the customer of this foreign key."""
        return Q(**{f"{customer}__in": self.among(Customer.objects.filter(is_head=True)).values("pk")})

    def _meanings(self, *, has_hits: bool) -> list[_Meaning]:
        text = trim(self.text)
        is_part = self.masking.lifted and not has_hits and not _is_listed(text, self.config)
        return [*_as_names(text), *(self._parts_of_contacts(text) if is_part else ())]

    def _parts_of_contacts(self, text: str) -> Iterator[_Meaning]:
        """The text as the beginning or the domain of an e-mail address, or as the last digits of a phone."""
        if len(text) >= SHORTEST_BEGINNING and not re.search(r"\s", text):
            beginning = unicodedata.normalize("NFC", text.casefold())
            yield self._held(EMAIL, Q(value__startswith=beginning))
        if domain := _domain(text):
            yield self._held(EMAIL, Q(value__endswith=f"@{domain}"), domain=domain)
        digits = re.sub(r"\D", "", text) if _PHONE_PART.fullmatch(text) else ""
        if len(digits) >= PHONE_ENDING_LENGTH:
            ending = digits[-PHONE_ENDING_LENGTH:]
            yield self._held(MOBILE_PHONE, Q(value__endswith=digits), ending=ending)

    def _held(self, kind: str, condition: Q, **indexed: str) -> _Meaning:
        """Holders of a contact of this type that meets the condition. By `indexed` the index finds it."""
        held = Identifier.objects.filter(kind=BY_NAME[kind].kind_id, customer__isnull=False)
        if kind in self.access_kinds:
            held = held.filter(gives_access=True)
        found = held.alias(domain=EMAIL_DOMAIN, ending=PHONE_ENDING).filter(condition, **indexed)
        # Not by EXISTS: PostgreSQL would first read whoever meets the condition, which are very many.
        own = held.filter(customer=OuterRef("pk")).values("kind").annotate(met=BoolOr(condition))
        return _Meaning(found.values_list("customer", flat=True), Q(Subquery(own.values("met"))))


def find_hits(text: str, config: ProjectConfig, access_kinds: Collection[str] = ()) -> list[SearchHit]:
    """The customers whom the text finds as a MaestraID or as a whole value of any kind, former ones included.
    Of `access_kinds` only values that give account access are found (R20).
    """
    values = list(_values(text, config))
    former = [kind.id for kind in config.kinds.values() if kind.searches_history]
    restricted = [config.kinds[name].id for name in access_kinds]
    kinds, names = [kind.id for kind, _value in values], [kind.name for kind, _value in values]
    rows = fetch(_HOLDERS, (kinds, names, [value for _kind, value in values], former, restricted))
    return [*_by_maestra_id(text), *(SearchHit(*row) for row in rows)]


def _as_names(text: str) -> Iterator[_Meaning]:
    """Every word of the text begins a word of the name, in any order."""
    words: set[str] = set(fetch_value("SELECT customers_name_words(false, %s)", [text]))
    if words:
        query = Cast(Value(" & ".join(f"'{word}':*" for word in sorted(words))), SearchQueryField())
        named = Customer.objects.filter(_Bears(NAME_WORDS, query)).values_list("pk", flat=True)
        yield _Meaning(named, Q(_BearsUnindexed(NAME_WORDS, query)), Q(*_enough_for(words)))


def _enough_for(words: set[str]) -> list[GreaterThanOrEqual]:
    """That each of the words begins another word of the name: "Peterson P" is not Linda Peterson. They do if
    of each beginning there are as many there.
    """
    counts = {word: sum(other.startswith(word) for other in words) for word in words}
    return [
        GreaterThanOrEqual(_WordsBeginning(NAME_WORDS, Value(word)), count)
        for word, count in sorted(counts.items())
        if count > 1
    ]


class _WordsBeginning(Func):
    """How many words of a name begin so."""

    function = "customers_words_beginning"
    output_field = BigIntegerField()


def _is_one_of(ids: Collection[int]) -> _IsAnyOf:
    """That the customer is one of these. As an array they are one parameter, where `pk__in` makes each of
    thousands its own, again for every statement.
    """
    numbers = Cast(Value(array("bigint", [*ids])), ArrayField(BigIntegerField()))
    return _IsAnyOf(F("pk"), numbers)


class _IsAnyOf(Func):
    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class _Bears(Func):
    """That the words of a name are as a query asks, by the index of names."""

    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()


class _BearsUnindexed(_Bears):
    """The same as an expression for which PostgreSQL sees no index. Where very many are found, reading all of
    them to sort them takes longer than going through the customers in order.
    """

    template = "(%(expressions)s) IS TRUE"


def _domain(text: str) -> str:
    """The domain that the text is, with or without the @, as it stands in addresses; empty for none."""
    if match := _DOMAIN.fullmatch(text):
        with suppress(Invalid):
            return email(f"x@{match[1]}").removeprefix("x@")
    return ""


def _values(text: str, config: ProjectConfig) -> Iterator[tuple[Kind, str]]:
    """What the text is as a value of each kind, normalised, where it can be one and is not on the block list
    (R12).
    """
    for kind, value in _readings(text, config):
        if not config.block_list.blocks(kind.name, text, value):
            yield kind, value


def _is_listed(text: str, config: ProjectConfig) -> bool:
    """Whether the text is a value of some kind that is on the block list (R12)."""
    return any(config.block_list.blocks(kind.name, text, value) for kind, value in _readings(text, config))


def _readings(text: str, config: ProjectConfig) -> Iterator[tuple[Kind, str]]:
    """What the text is as a value of each kind, normalised, where it can be one."""
    by_category = normalisers(config.default_region)
    for kind in config.kinds.values():
        with suppress(Invalid):
            yield kind, by_category[kind.category](text)


def _by_maestra_id(text: str) -> list[SearchHit]:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and text == str(int(text))):
        return []
    if int(text) > HIGHEST_MAESTRA_ID:
        return []
    primary_id = primary_ids_of([int(text)]).get(int(text))
    return [SearchHit(primary_id, MAESTRA_ID, text, is_former=primary_id != int(text))] if primary_id else []
