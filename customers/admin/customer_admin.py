from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, Q, QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action

from customers import profile
from customers.admin import profile as profile_pages
from customers.admin import saved_filters
from customers.admin.base import ReadOnlyAdmin, apply_to_each, ask, customer_link, reason_given
from customers.admin.csv_export import customers_csv
from customers.admin.filters import FILTERS
from customers.admin.masked_lists import PlainAdmin
from customers.admin.profile_registry import masking_of, profile_address
from customers.admin.reached_customers import described
from customers.admin.search_outcome import SEARCHED_CUSTOMER, SearchOutcome, customer_search
from customers.admin.time_limited_list import CustomerList
from customers.admin.wording import OfContact, kind_label
from customers.contact_types import CONTACT_TYPES
from customers.models import (
    Customer,
    CustomerFacts,
    Identifier,
    Note,
    Relation,
    Reveal,
    RevealKinds,
    Subscription,
    SuppressedValue,
)
from customers.presentation.customer import note_text
from customers.presentation.masking import MaskingPolicy
from customers.presentation.names import full_name
from customers.privacy.erasure import erase
from customers.privacy.export import export_in_pieces
from customers.privacy.opt_out import opt_out
from customers.setup.project_config import project_config
from customers.templatetags.profile_pages import day

LISTED_CONTACTS = tuple((type_.kind_id, type_.name) for type_ in CONTACT_TYPES if type_.has_primary)


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """The list of customers; what each one's page shows is `customers.admin.profile`."""

    list_display_links = ("maestra_id", "name")
    list_per_page = 25
    list_filter = FILTERS
    list_filter_submit = True
    list_filter_sheet = True
    list_before_template = "admin/customers/find.html"
    search_fields = ("id",)
    search_help_text = _("E-mail, phone, card, ID, MaestraID or name, or a part of them")
    actions: tuple[Any, ...] = ("opt_out", "erase")
    actions_detail = ("export",)

    @classmethod
    def add_action(cls, name: str, work: Any, permission: str) -> None:
        """Let an app above add something to do with customers of the list. `work` is an admin action that
        asks for the permission `name`.
        """
        cls.actions = (*cls.actions, work)
        setattr(cls, f"has_{name}_permission", lambda _self, request: request.user.has_perm(permission))

    def has_opt_out_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("customers.change_customer")

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("customers.delete_customer")

    def has_export_list_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.export_list")

    def get_urls(self) -> list[Any]:
        export = self.admin_site.admin_view(self.export_list)
        own = [path("export/", export, name="customers_customer_export_list")]
        return [*own, *profile_pages.urls(), *saved_filters.urls(), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The profile."""
        if not (object_id.isascii() and object_id.isdigit() and len(object_id) < 20):
            raise Http404
        return profile_pages.tab_view(request, int(object_id), profile_pages.FIRST_TAB)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A search that leads to one customer only shows them at once."""
        outcome = None
        if request.method == "GET" and self.has_view_permission(request):
            outcome = SearchOutcome(request, request.GET.get("q", ""))
            if set(request.GET) <= {"q"} and outcome.only:
                messages.info(request, outcome.notice)
                return HttpResponseRedirect(profile_address(outcome.only))
        context = {
            "search_outcome": outcome,
            "saved_filters": saved_filters.filters_of(request),
            "may_export": self.has_export_list_permission(request),
            **(extra_context or {}),
        }
        answer: HttpResponse = super().changelist_view(request, context)
        return answer

    @admin.action(description=_("Opt out of everything"), permissions=["opt_out"])
    def opt_out(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse | None:
        words = {
            "title": _("Opt customers out?"),
            "warning": _(
                "All subscriptions of these customers end, on all their contacts, until they subscribe again."
            ),
            "button": _("Yes, opt out"),
            "described": described(request, queryset),
            "reason_help": _("It stands in the change history, such as: asked for by letter of 3 March."),
        }
        if question := ask(request, self, queryset, "opt_out", **words):
            return question
        actor, user_id = f"user:{request.user.get_username()}", request.user.pk
        stated = reason_given(request)
        work = lambda customer: opt_out(customer.pk, actor=actor, user_id=user_id, stated=stated)  # noqa: E731
        apply_to_each(self, request, queryset, work, _("opted out of everything."))
        return None

    @admin.action(description=_("Erase"), permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse | None:
        words = {
            "title": _("Erase customers?"),
            "warning": _(
                "Everything that identifies these customers is deleted, also from histories of others. "
                "Orders and amounts remain, without a person. This cannot be undone."
            ),
            "button": _("Yes, erase them"),
            "described": described(request, queryset),
            "reason_help": _("It stays after the erasure: do not write anything of the person in it."),
        }
        if question := ask(request, self, queryset, "erase", **words):
            return question
        actor, user_id = f"user:{request.user.get_username()}", request.user.pk
        stated = reason_given(request)
        work = lambda customer: erase(customer.pk, actor=actor, user_id=user_id, stated=stated)  # noqa: E731
        apply_to_each(self, request, queryset, work, _("erased."))
        return None

    @action(description=_("Export"), permissions=["opt_out"])  # type: ignore[untyped-decorator]
    def export(self, request: HttpRequest, object_id: int) -> FileResponse:
        """Everything known of the person, as a file (R55)."""
        primary_id = profile_pages.primary_id_or_404(int(object_id))
        if primary_id is None:
            raise Http404
        profile_pages.record_reveal(request, RevealKinds.EXPORT, primary_id)
        pieces = (piece.encode() for piece in export_in_pieces(primary_id))
        name = f"customer-{object_id}.json"
        return FileResponse(pieces, as_attachment=True, filename=name, content_type="application/json")

    def export_list(self, request: HttpRequest) -> StreamingHttpResponse:
        """The list as it is filtered, as a file."""
        if not (self.has_view_permission(request) and self.has_export_list_permission(request)):
            raise PermissionDenied
        customers = self.get_changelist_instance(request).get_queryset(request)
        profile_pages.record_reveal(request, RevealKinds.LIST, None)
        masking = masking_of(request)
        lines = customers_csv(customers, project_config(), masking)
        headers = {"Content-Disposition": 'attachment; filename="customers.csv"'}
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CustomerList]:
        return CustomerList

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """The columns, contacts as this reader may see them."""
        masking = masking_of(request)
        contacts = [contact_column(masking, *kind) for kind in LISTED_CONTACTS]
        # A former MaestraID leads to a profile with another number.
        others = request.GET.get("shown") in ("former", "all")
        return ("maestra_id", "name", *contacts, "registered", *(("profile_link",) if others else ()))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        primaries = Identifier.objects.filter(is_primary=True)
        customers: QuerySet[Customer] = super().get_queryset(request)
        return customers.prefetch_related(Prefetch("identifiers", primaries, "primaries"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (customer_search(request, term).among(queryset) if term else queryset), False

    @admin.display(description=_("MaestraID"), ordering="id")
    def maestra_id(self, customer: Customer) -> int:
        return customer.pk

    @admin.display(description=_("name"))
    def name(self, customer: Customer) -> str | None:
        return full_name(customer) or None

    @admin.display(description=_("registered"), ordering="registered_at")
    def registered(self, customer: Customer) -> str:
        return day(customer.registered_at)

    @admin.display(description=_("profile"))
    def profile_link(self, customer: Customer) -> SafeString | None:
        return customer_link(customer.profile_id)


def contact_column(masking: MaskingPolicy, kind_id: int, kind: str) -> Any:
    """A column with the primary value of a kind."""

    @admin.display(description=project_config().labels[kind])
    def column(customer: Any) -> str | None:
        held = (held.value for held in customer.primaries if held.kind_id == kind_id)
        return next((masking.value(kind, value) for value in held), None)

    column.__name__ = kind
    return column


@admin.register(CustomerFacts)
class CustomerFactsAdmin(ReadOnlyAdmin):
    list_display = (
        "customer_id",
        "orders_count",
        "orders_total",
        "points_balance",
        "promo_codes_count",
        "last_action_at",
    )
    search_fields = ("customer",)
    search_help_text = _("MaestraID")


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("id", "whose", "channel", "topic", "status", "since")
    search_fields = ("customer",)
    search_help_text = SEARCHED_CUSTOMER
    fields = ("whose", "channel", "topic", "status", "since")
    readonly_fields = ("whose",)

    def matching(self, request: HttpRequest, term: str) -> Q:
        return customer_search(request, term).condition("customer")

    @admin.display(description=_("customer"))
    def whose(self, subscription: Subscription) -> SafeString | None:
        return customer_link(subscription.customer_id)


@admin.register(Note)
class NoteAdmin(OfContact, PlainAdmin):
    list_display = ("id", "customer", "at", "text", "other")
    search_fields = ("maestra_id", "related")
    search_help_text = _("MaestraID")
    fields = ("customer", "at", "text", "kind_shown", "value", "other", "decided_shown")
    readonly_fields = ("customer", "text", "kind_shown", "other", "decided_shown")

    @admin.display(description=_("note"))
    def text(self, note: Note) -> str:
        facts = (note.at, note.maestra_id, note.reason, note.kind, note.value, note.related, note.decided_by)
        return note_text(profile.Note(*facts), project_config().labels)

    @admin.display(description=_("MaestraID"))
    def customer(self, note: Note) -> SafeString | None:
        return customer_link(note.maestra_id)

    @admin.display(description=_("other customer"))
    def other(self, note: Note) -> SafeString | None:
        return customer_link(note.related)


@admin.register(Relation)
class RelationAdmin(OfContact, PlainAdmin):
    list_display = ("id", "customer", "other", "kind_shown", "value", "kept", "decided_shown", "at")
    search_fields = ("maestra_id", "related_id")
    search_help_text = _("MaestraID")
    fields = ("customer", "other", "kind_shown", "value", "kept", "decided_shown", "at")
    readonly_fields = ("customer", "other", "kind_shown", "decided_shown")

    @admin.display(description=_("MaestraID"))
    def customer(self, relation: Relation) -> SafeString | None:
        return customer_link(relation.maestra_id)

    @admin.display(description=_("related MaestraID"))
    def other(self, relation: Relation) -> SafeString | None:
        return customer_link(relation.related_id)


@admin.register(SuppressedValue)
class SuppressedValueAdmin(ReadOnlyAdmin):
    """Keyed hashes: they reveal nothing."""

    list_display = ("__str__", "at")
    ordering = ("pk",)
    fields = ("at",)


@admin.register(Reveal)
class RevealAdmin(ReadOnlyAdmin):
    """Who was shown masked data."""

    list_display = ("at", "user_name", "kind", "identifier_shown", "customer")
    list_filter = ("kind", ("at", RangeDateTimeFilter))
    search_fields = ("maestra_id", "user_name")
    search_help_text = _("MaestraID or user name")
    fields = ("at", "user_name", "kind", "identifier_shown", "customer")
    readonly_fields = ("identifier_shown", "customer")

    @admin.display(description=_("identifier kind"))
    def identifier_shown(self, reveal: Reveal) -> str | None:
        return kind_label(reveal.identifier_kind) if reveal.identifier_kind else None

    @admin.display(description=_("MaestraID"))
    def customer(self, reveal: Reveal) -> SafeString | None:
        return customer_link(reveal.maestra_id)
