from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from customers.admin.base import customer_link
from customers.admin.masked_lists import MaskedAdmin, text_in
from customers.models import Activity, Order, PointsMovement, PromoCode


class LedgerAdmin(MaskedAdmin):
    """Entries that stay under the MaestraID they were recorded for (R39)."""

    search_fields: tuple[str, ...] = ("maestra_id",)

    @admin.display(description=_("MaestraID"))
    def customer(self, entry: Any) -> SafeString | None:
        return customer_link(entry.maestra_id)

    def get_readonly_fields(self, request: Any, obj: Any = None) -> tuple[str, ...]:
        return ("customer",)


@admin.register(Order)
class OrderAdmin(LedgerAdmin):
    list_display = ("number", "customer", "total", "currency", "placed_at", "status")
    search_fields = ("number", "maestra_id")
    search_help_text = _("Order number or MaestraID")
    fields = ("number", "customer", "total", "currency", "placed_at", "status", "lines")


@admin.register(PointsMovement)
class PointsMovementAdmin(LedgerAdmin):
    list_display = ("id", "customer", "amount", "reason", "number", "at")
    search_fields = ("number", "maestra_id")
    search_help_text = _("Number or MaestraID")
    fields = ("customer", "amount", "reason", "number", "at")


@admin.register(PromoCode)
class PromoCodeAdmin(LedgerAdmin):
    list_display = ("code", "customer", "issued_at")
    search_fields = ("code", "maestra_id")
    search_help_text = _("Promo code or MaestraID")
    fields = ("code", "customer", "issued_at")


@admin.register(Activity)
class ActivityAdmin(LedgerAdmin):
    with_contacts = {name: text_in(name) for name in ("url", "title", "properties")}
    list_display = ("id", "customer", "kind", "occurred_at", "title")
    search_help_text = _("MaestraID")
    fields = ("customer", "kind", "occurred_at", "url", "title", "properties")
