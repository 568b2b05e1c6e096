from contextlib import suppress

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from customers.admin.base import ReadOnlyAdmin, customer_link
from customers.admin.masked_lists import MaskedAdmin, identifier_of, raw_of, value_of
from customers.admin.search_outcome import SEARCHED_CUSTOMER, customer_search
from customers.models import Claim, DeviceUse, Identifier, PaymentCard
from customers.normalise import Invalid
from customers.setup.project_config import normalisers, project_config


def state_of(identifier: Identifier) -> str | None:
    """The flags of an identifier, in words."""
    words = {
        _("primary"): identifier.is_primary,
        _("former"): identifier.is_former,
        _("confirmed"): identifier.confirmed_at,
        _("awaiting confirmation"): identifier.must_be_confirmed and not identifier.confirmed_at,
        _("gives account access"): identifier.gives_access,
    }
    return ", ".join(str(word) for word, is_true in words.items() if is_true) or None


@admin.register(Identifier)
class IdentifierAdmin(MaskedAdmin):
    with_contacts = {"value": value_of, "raw": raw_of}
    list_display = ("value", "kind", "holder", "state", "since")
    list_select_related = ("kind",)
    list_filter = ("kind",)
    search_fields = ("value",)
    search_help_text = _("Full value")
    fields = (
        "kind",
        ("value", "raw"),
        ("holder", "origin_id"),
        ("since", "point"),
        ("is_primary", "was_primary_at"),
        ("must_be_confirmed", "confirmed_at"),
        "gives_access",
        ("is_former", "retired_at"),
    )
    readonly_fields = ("holder",)

    def matching(self, request: HttpRequest, term: str) -> Q:
        """The term as a value of any kind."""
        config = project_config()
        normalise = normalisers(config.default_region)
        found = Q(pk__in=[])
        for kind in config.kinds.values():
            with suppress(Invalid):
                found |= Q(kind=kind.id, value=normalise[kind.category](term))
        return found

    @admin.display(description=_("held by"))
    def holder(self, identifier: Identifier) -> SafeString | None:
        return customer_link(identifier.customer_id)

    @admin.display(description=_("state"))
    def state(self, identifier: Identifier) -> str | None:
        return state_of(identifier)


class OfCustomer(MaskedAdmin):
    """Rows found by whatever finds the customer they belong to."""

    search_fields = ("customer",)
    search_help_text = SEARCHED_CUSTOMER
    readonly_fields: tuple[str, ...] = ("whose",)

    def matching(self, request: HttpRequest, term: str) -> Q:
        return customer_search(request, term).condition("customer")

    @admin.display(description=_("customer"))
    def whose(self, row: Claim | PaymentCard) -> SafeString | None:
        return customer_link(row.customer_id)


@admin.register(Claim)
class ClaimAdmin(OfCustomer):
    with_contacts = {"identifier": identifier_of, "raw": raw_of}
    list_display = ("id", "identifier", "whose", "gives_access", "since")
    list_select_related = ("identifier__kind",)
    fields = ("identifier", "whose", "origin_id", "raw", "since", "gives_access", "point")


@admin.register(PaymentCard)
class PaymentCardAdmin(OfCustomer):
    """Masked: nobody needs the hash to read this page (R10)."""

    list_display = ("id", "masked", "whose", "since")
    fields = ("masked", "whose", "origin_id", "since")
    readonly_fields = ("masked", "whose")

    @admin.display(description=_("hash"))
    def masked(self, card: PaymentCard) -> str:
        return f"{card.hash[:4]}…"


@admin.register(DeviceUse)
class DeviceUseAdmin(ReadOnlyAdmin):
    list_display = ("id", "identifier", "customer", "since")
    list_select_related = ("identifier",)
    search_fields = ("origin_id",)
    search_help_text = _("MaestraID")
    fields = ("identifier", "customer", "since")
    readonly_fields = ("customer",)

    @admin.display(description=_("MaestraID"))
    def customer(self, use: DeviceUse) -> SafeString | None:
        return customer_link(use.origin_id)
