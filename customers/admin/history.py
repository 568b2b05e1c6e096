from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from customers.admin.base import ReadOnlyInline, customer_link
from customers.admin.masked_lists import PlainAdmin
from customers.admin.wording import kinds_of, lines
from customers.history.reading import sentences
from customers.models import Change, Operation
from customers.setup.project_config import project_config
from customers.templatetags.profile_pages import who


class Worded:
    """A change in sentences."""

    @admin.display(description=_("changes"))
    def sentences(self, change: Change) -> SafeString | None:
        return lines(sentences(change.data, project_config().labels))


class ChangeInline(Worded, ReadOnlyInline):
    model = Change
    fields = ("at", "maestra_id", "sentences")
    ordering = ("id",)
    per_page = 20
    verbose_name_plural = _("changes")


@admin.register(Operation)
class OperationAdmin(PlainAdmin):
    list_display = ("id", "at", "kind", "by", "point")
    list_select_related = ("point",)
    list_filter = (("at", RangeDateTimeFilter),)
    search_fields = ("id",)
    search_help_text = _("ID of an operation")
    fields = ("kind", "at", "by", "point")
    readonly_fields = ("by",)
    inlines = (ChangeInline,)

    @admin.display(description=_("by"))
    def by(self, operation: Operation) -> str:
        return who(operation.actor)


@admin.register(Change)
class ChangeAdmin(Worded, PlainAdmin):
    list_display = ("id", "at", "customer", "what", "operation_id")
    search_fields = ("maestra_id",)
    search_help_text = _("MaestraID")
    fields = ("operation", "at", "customer", "sentences", "data", "erased_at")
    readonly_fields = ("customer", "sentences")

    @admin.display(description=_("MaestraID"))
    def customer(self, change: Change) -> SafeString | None:
        return customer_link(change.maestra_id)

    @admin.display(description=_("kind"))
    def what(self, change: Change) -> str:
        return kinds_of(change.data)
