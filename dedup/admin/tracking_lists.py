"""Sites, and the events that were accepted from them."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from customers.admin.base import ReadOnlyAdmin, SetupAdmin, customer_link
from customers.admin.masked_lists import MaskedAdmin, text_in
from customers.models import IntegrationPoint
from customers.presentation.masking import MaskingPolicy
from dedup.models import Event, FailedEvent, ForgottenMonth, Site
from dedup.tracking.failures import try_again


class SiteForm(forms.ModelForm[Site]):
    class Meta:
        widgets = {"origins": UnfoldAdminTextInputWidget}


@admin.register(Site)
class SiteAdmin(SetupAdmin):
    """Pages that may send activity, and the script tag that makes them do so."""

    form = SiteForm
    list_display = ("point", "key", "shown_origins", "is_enabled")
    list_select_related = ("point",)
    search_fields = ("key",)
    ordering = ("point",)
    fields = ("point", "origins", "is_enabled", "identifies_by_ids", "finds_customers", "key", "snippet")
    readonly_fields = ("snippet",)
    fixed = ("point",)

    @admin.display(description=_("origins"))
    def shown_origins(self, site: Site) -> str:
        return ", ".join(site.origins)

    @admin.display(description=_("script tag for your pages"))
    def snippet(self, site: Site) -> SafeString:
        """The tag by which a page loads the tracker."""
        return format_html(
            '<code>&lt;script src="{}/static/tracker.js" data-key="{}" defer&gt;&lt;/script&gt;</code>',
            settings.PUBLIC_URL,
            site.key,
        )


class EventAdmin(MaskedAdmin):
    with_contacts = {name: text_in(name) for name in ("url", "title", "properties", "reason")}
    search_fields = ("uuid", "maestra_id")
    search_help_text = _("UUID or MaestraID")
    readonly_fields: tuple[str, ...] = ("customer", "point")

    @admin.display(description=_("MaestraID"))
    def customer(self, event: Event | FailedEvent) -> SafeString | None:
        return customer_link(event.maestra_id)

    @admin.display(description=_("integration point"))
    def point(self, event: Event | FailedEvent) -> str:
        return str(IntegrationPoint.objects.filter(pk=event.point_id).first() or event.point_id)


COLUMNS = (
    ("uuid", "kind"),
    ("occurred_at", "received_at"),
    ("device", "customer"),
    "point",
    "url",
    "title",
    "properties",
)


@admin.register(Event)
class WaitingEventAdmin(EventAdmin):
    list_display = ("uuid", "kind", "device", "customer", "occurred_at", "received_at")
    ordering = ("pk",)
    fields = COLUMNS


@admin.register(FailedEvent)
class FailedEventAdmin(EventAdmin):
    list_display = ("failed_at", "kind", "code", "shortly", "device", "customer")
    list_filter = ("code", ("failed_at", RangeDateTimeFilter))
    ordering = ("-failed_at",)
    fields = ("failed_at", "code", "reason", *COLUMNS)
    actions = ("try_again",)

    @admin.display(description=_("reason"))
    def shortly(self, event: FailedEvent) -> str:
        """As much as a narrow screen shows, masked for everybody."""
        return Truncator(MaskingPolicy(lifted=False).text(event.reason)).chars(60)

    def has_try_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("dedup.change_failedevent")

    @admin.action(description=_("Retry"), permissions=["try_again"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[FailedEvent]) -> None:
        try_again(list(queryset.values_list("pk", flat=True)))
        self.message_user(
            request,
            _("The events will be tried again. Those that fail again come back here."),
            messages.SUCCESS,
        )


@admin.register(ForgottenMonth)
class ForgottenMonthAdmin(ReadOnlyAdmin):
    list_display = ("month", "dropped", "kept", "at")
    fields = ("month", "dropped", "kept", "at")
