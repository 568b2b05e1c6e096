"""Filters of the list of customers. Each looks at the whole profile, with all its MaestraIDs."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as rest_filters
from django_filters.fields import IsoDateTimeField
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from customers.api.base import access, masking_of
from customers.api.paging import LONGEST_NAME, PAGING
from customers.errors import invalid
from customers.models import Channels, Customer
from customers.queries import filters
from customers.queries.search import CustomerSearch
from customers.setup.project_config import project_config

Customers = QuerySet[Customer]


_YES_OR_NO = {"true": True, "false": False, "True": True, "False": False, "1": True, "0": False}


@extend_schema_field(OpenApiTypes.BOOL)
class YesOrNo(rest_filters.TypedChoiceFilter):  # type: ignore[misc]  # untyped
    """Refuses anything but yes or no; a boolean filter would ignore it."""

    def __init__(self, **options: Any) -> None:
        choices = [(text, text) for text in _YES_OR_NO]
        super().__init__(choices=choices, coerce=_YES_OR_NO.__getitem__, **options)


class MomentField(IsoDateTimeField):  # type: ignore[misc]  # untyped
    def clean(self, value: Any) -> Any:
        """Refuses a time that its offset moves out of the years 1 to 9999."""
        at = super().clean(value)
        try:
            return at and at.astimezone(UTC)
        except OverflowError:
            raise ValidationError(_("Write a time between the years 1 and 9999.")) from None


class Moment(rest_filters.IsoDateTimeFilter):  # type: ignore[misc]  # untyped
    field_class = MomentField


class CustomerFilters(rest_filters.FilterSet):  # type: ignore[misc]  # untyped
    """An unknown parameter is refused: a misspelt filter would otherwise show everybody."""

    search = rest_filters.CharFilter(
        method="by_search",
        help_text=(
            "A MaestraID, any identifier, words of the name in any order, the beginning or domain of an "
            "e-mail address, the last digits of a phone (4 at least)."
        ),
    )
    subscription = rest_filters.CharFilter(
        method="by_subscription",
        help_text="Subscribed to a channel, a topic of it, or without one: `email`, `email/news`, `email/`.",
    )
    has_orders = YesOrNo(method="by_orders")
    is_identified = YesOrNo(help_text="Holds something other than devices and payment card hashes.")
    registered_after = Moment(method="by_registration_after", help_text="Registered later than this.")
    registered_before = Moment(method="by_registration_before", help_text="Registered earlier than this.")
    active_after = Moment(method="by_activity_after", help_text="Last personal action later than this.")
    active_before = Moment(
        method="by_activity_before", help_text="No personal action from this time on; one before it."
    )

    class Meta:
        model = Customer
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unknown = [name for name in self.data if name not in self.filters and name not in PAGING]
        if unknown:
            known = ", ".join(sorted(self.filters))
            message = _("There is no such filter. There are: %(filters)s.") % {"filters": known}
            raise invalid(*((name[:LONGEST_NAME], message) for name in unknown))

    def by_search(self, customers: Customers, _name: str, text: str) -> Customers:
        """With a key, contact types that give access at its point are found only where flagged so (R20)."""
        key = access(self.request)
        kinds = key.point.gives_access if key else ()
        return CustomerSearch(text, project_config(), masking_of(self.request), kinds).among(customers)

    def by_subscription(self, customers: Customers, _name: str, text: str) -> Customers:
        channel, with_topic, topic = text.partition("/")
        if channel not in Channels.values:
            message = _("Begin with one of: %(channels)s.") % {"channels": ", ".join(Channels.values)}
            raise invalid(("subscription", message))
        return filters.subscribed(customers, channel, topic if with_topic else None)

    def by_orders(self, customers: Customers, _name: str, has_orders: bool) -> Customers:
        return filters.with_orders(customers, has_orders)

    def by_registration_after(self, customers: Customers, _name: str, at: Any) -> Customers:
        return filters.registered_after(customers, at)

    def by_registration_before(self, customers: Customers, _name: str, at: Any) -> Customers:
        return filters.registered_before(customers, at)

    def by_activity_after(self, customers: Customers, _name: str, at: Any) -> Customers:
        return filters.active_after(customers, at)

    def by_activity_before(self, customers: Customers, _name: str, at: Any) -> Customers:
        return filters.active_before(customers, at)
