from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from customers.admin.base import Kept, Recorded, customer_link
from customers.kinds import catalogue
from customers.search import holders
from segments.models import Membership, Segment, Segmentation


class SegmentForm(forms.ModelForm[Segment]):
    """The system name is set once: data is sent by it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["system_name"].disabled = self.instance.pk is not None


class SegmentInline(TabularInline):  # type: ignore[misc]
    model = Segment
    form = SegmentForm
    fields = ("system_name", "name")
    extra = 1
    ordering = ("id",)
    can_delete = False
    hide_title = True


@admin.register(Segmentation)
class SegmentationAdmin(Kept):
    list_display = ("name", "system_name", "kind")
    search_fields = ("system_name", "name")
    ordering = ("name",)
    fields = (("system_name", "name"), "kind")
    fixed = ("system_name", "kind")
    inlines = (SegmentInline,)


@admin.register(Segment)
class SegmentAdmin(Kept):
    """Of two segments with the same date of entry the one with the higher ID wins (R38)."""

    list_display = ("id", "name", "system_name", "segmentation")
    list_select_related = ("segmentation",)
    list_filter = ("segmentation",)
    search_fields = ("system_name", "name")
    fields = ("segmentation", ("system_name", "name"))
    fixed = ("segmentation", "system_name")


@admin.register(Membership)
class MembershipAdmin(Recorded):
    list_display = ("id", "whose", "segment", "segmentation", "since")
    list_select_related = ("segment", "segmentation")
    list_filter = ("segment",)
    search_fields = ("customer",)
    search_help_text = _("A MaestraID, or an identifier of the customer.")
    fields = ("whose", "segmentation", "segment", "since")
    readonly_fields = ("whose",)

    def matching(self, term: str) -> Q:
        return Q(customer__in=holders(term, catalogue()))

    @admin.display(description=_("customer"))
    def whose(self, membership: Membership) -> SafeString | None:
        return customer_link(membership.customer_id)
