"""Filters of the list of customers. Each is a parameter of the address, so that the address is the filter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from customers.admin.profile_tabs import midnight
from customers.contact_types import CONTACT_TYPES, ContactType
from customers.models import Channels, Customer, IntegrationPoint, Statuses
from customers.queries import filters
from customers.storage.loading import HIGHEST_MAESTRA_ID

Customers = QuerySet[Customer]


class ShownFilter(DropdownFilter):  # type: ignore[misc]  # untyped
    """Identified customers unless others are asked for: the anonymous ones are many and say little."""

    title = _("kind of customer")
    parameter_name = "shown"
    all_option = ("", _("Identified customers"))
    conditions = {
        None: Q(is_head=True, is_identified=True, erased_at__isnull=True),
        "anonymous": Q(is_head=True, is_identified=False, erased_at__isnull=True),
        "former": Q(is_head=False),
        "erased": Q(is_head=True, erased_at__isnull=False),
        "all": Q(),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("anonymous", _("Anonymous customers")),
            ("former", _("Former MaestraIDs")),
            ("erased", _("Erased customers")),
            ("all", _("All MaestraIDs")),
        ]

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        """A search includes anonymous customers."""
        if request.GET.get("q") and not self.value():
            return queryset.filter(is_head=True, erased_at__isnull=True)
        return queryset.filter(self.conditions.get(self.value() or None, Q(pk__in=[])))


class SubscriptionFilter(DropdownFilter):  # type: ignore[misc]  # untyped
    title = _("subscription")
    parameter_name = "subscription"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (f"{channel}/{status}", f"{name}: {word}")
            for channel, name in Channels.choices
            for status, word in Statuses.choices
        ]

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        channel, _slash, status = (self.value() or "").partition("/")
        return filters.subscribed(queryset, channel, status=status) if channel else queryset


class OrdersFilter(DropdownFilter):  # type: ignore[misc]  # untyped
    title = _("orders")
    parameter_name = "has_orders"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Has orders")), ("no", _("Has no orders"))]

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        value = self.value()
        return filters.with_orders(queryset, value == "yes") if value else queryset


class ContactFilter(DropdownFilter):  # type: ignore[misc]  # untyped
    title = _("contacts")
    parameter_name = "contact"
    held = {type_.name: {"kind_id": type_.kind_id} for type_ in CONTACT_TYPES}
    confirmed = {
        f"confirmed_{type_.name}": {"kind_id": type_.kind_id, "confirmed_at__isnull": False}
        for type_ in CONTACT_TYPES
        if type_.has_primary
    }
    missing = {f"no_{type_.name}": type_.name for type_ in CONTACT_TYPES if type_.has_primary}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [choice for type_ in CONTACT_TYPES for choice in self._choices(type_)]

    def _choices(self, type_: ContactType) -> Iterator[tuple[str, str]]:
        name, contact = type_.name, {"contact": _(type_.with_article)}
        yield name, _("Has %(contact)s") % contact
        if type_.has_primary:
            yield f"no_{name}", _("Does not have %(contact)s") % contact
            yield f"confirmed_{name}", _("Has %(contact)s that is confirmed") % contact

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        value = self.value()
        if not value:
            return queryset
        conditions = (self.held | self.confirmed).get(self.missing.get(value, value))
        if conditions is None:
            return queryset.none()
        return filters.holding(queryset, value not in self.missing, **conditions)


class AccessFilter(DropdownFilter):  # type: ignore[misc]  # untyped
    title = _("account access")
    parameter_name = "access"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Has account access")), ("no", _("Has no account access"))]

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        value = self.value()
        return filters.holding(queryset, value == "yes", gives_access=True) if value else queryset


class PointFilter(DropdownFilter):  # type: ignore[misc]  # untyped
    title = _("first integration point")
    parameter_name = "point"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        points = IntegrationPoint.objects.order_by("name").values_list("system_name", "name")
        return list(points)

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        value = self.value()
        # By ID: with a join the planner would begin at the point and sort all its customers.
        points = IntegrationPoint.objects.filter(system_name=value).values_list("pk", flat=True)
        return queryset.filter(point_id__in=list(points)) if value else queryset


class DatesFilter(admin.ListFilter):
    """From one day to another, both included, in the reader's zone."""

    template = "admin/customers/filter_dates.html"
    name: str

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for parameter in self.parameters:
            given = params.pop(parameter, None)
            if given and midnight(given[-1]):
                self.used_parameters[parameter] = given[-1]

    def expected_parameters(self) -> list[str | None]:
        return [*self.parameters]

    @property
    def parameters(self) -> tuple[str, str]:
        return f"{self.name}_from", f"{self.name}_until"

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        for parameter, label in zip(self.parameters, (_("From"), _("Until")), strict=True):
            value = self.used_parameters.get(parameter, "")
            yield {"name": parameter, "label": label, "value": value}

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        first, last = (str(self.used_parameters.get(name, "")) for name in self.parameters)
        if start := midnight(first):
            queryset = self.after(queryset, start)
        if end := midnight(last, days=1):
            queryset = self.before(queryset, end)
        return queryset

    def after(self, customers: Customers, at: Any) -> Customers:
        raise NotImplementedError

    def before(self, customers: Customers, at: Any) -> Customers:
        raise NotImplementedError


class RegisteredFilter(DatesFilter):
    title = _("registration")
    name = "registered"

    def after(self, customers: Customers, at: Any) -> Customers:
        return filters.registered_after(customers, at)

    def before(self, customers: Customers, at: Any) -> Customers:
        return filters.registered_before(customers, at)


class ActiveFilter(DatesFilter):
    title = _("last activity")
    name = "active"

    def after(self, customers: Customers, at: Any) -> Customers:
        return filters.active_after(customers, at)

    def before(self, customers: Customers, at: Any) -> Customers:
        return filters.active_before(customers, at)


class BelowFilter(admin.ListFilter):
    """Continues a search that was given up (`customers.admin.time_limited_list`)."""

    title = _("MaestraID")
    template = "admin/customers/filter_below.html"
    parameter_name = "below"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        given = params.pop(self.parameter_name, None)
        if given and (number := self.number(given[-1])):
            self.used_parameters[self.parameter_name] = number

    @staticmethod
    def number(text: str | None) -> int | None:
        is_number = text and text.isascii() and text.isdigit() and int(text) <= HIGHEST_MAESTRA_ID
        return int(text) if text and is_number else None

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        yield {"name": self.parameter_name, "value": self.used_parameters.get(self.parameter_name, "")}

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        below = self.used_parameters.get(self.parameter_name)
        return queryset.filter(pk__lt=below) if below else queryset


FILTERS: list[Any] = [
    ShownFilter,
    SubscriptionFilter,
    OrdersFilter,
    ContactFilter,
    AccessFilter,
    PointFilter,
    RegisteredFilter,
    ActiveFilter,
    BelowFilter,
]


def register_filter(list_filter: Any, *, after: Any = ShownFilter) -> None:
    """Let a higher app add a filter to the list of customers."""
    if list_filter not in FILTERS:
        FILTERS.insert(FILTERS.index(after) + 1, list_filter)
