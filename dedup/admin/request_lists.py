from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from customers.admin.base import ReadOnlyAdmin, customer_link
from customers.admin.masked_lists import MaskedAdmin, identifier_of
from dedup.models import Confirmation, IdempotencyKey


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("key", "scope", "status", "created_at")
    search_fields = ("key",)
    ordering = ("-created_at",)
    fields = ("key", "scope", "status", "created_at", "maestra_ids")


@admin.register(Confirmation)
class ConfirmationAdmin(MaskedAdmin):
    """What was sent to be confirmed; the link or code itself is stored nowhere."""

    with_contacts = {"identifier": identifier_of}
    list_display = ("id", "identifier", "customer", "kind", "sent_at", "expires_at", "tries", "used_at")
    list_select_related = ("identifier__kind",)
    fields = (
        "identifier",
        "customer",
        "kind",
        "asked_at",
        "failures",
        "retry_at",
        "sent_at",
        "expires_at",
        "tries",
        "used_at",
    )
    readonly_fields = ("customer",)

    @admin.display(description=_("MaestraID"))
    def customer(self, confirmation: Confirmation) -> SafeString | None:
        return customer_link(confirmation.maestra_id)
