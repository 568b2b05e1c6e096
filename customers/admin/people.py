from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action

from customers import profile
from customers.admin.base import (
    Recorded,
    RecordedInline,
    ask,
    customer_link,
    do_each,
    link,
    page,
)
from customers.admin.identifiers import state_of
from customers.admin.words import OfContact
from customers.erasure import erase
from customers.history import history
from customers.kinds import catalogue
from customers.models import (
    Claim,
    Customer,
    CustomerFacts,
    Identifier,
    Note,
    Relation,
    Subscription,
    SuppressedValue,
)
from customers.models.identifiers import EMAIL_ID, MOBILE_PHONE_ID
from customers.presenting import note_text
from customers.privacy import export_in_pieces, opt_out
from customers.search import holders, matching


class ShownFilter(admin.SimpleListFilter):
    """Identified customers first of all: the anonymous ones are many and say little."""

    title = _("shown")
    parameter_name = "shown"
    conditions = {
        None: Q(is_head=True, is_identified=True, erased_at__isnull=True),
        "anonymous": Q(is_head=True, is_identified=False, erased_at__isnull=True),
        "former": Q(is_head=False),
        "erased": Q(is_head=True, erased_at__isnull=False),
        "all": Q(),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("anonymous", _("Anonymous")),
            ("former", _("Former MaestraIDs")),
            ("erased", _("Erased")),
            ("all", _("All")),
        ]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("Identified")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if request.GET.get("q") and self.value() is None:
            return queryset
        return queryset.filter(self.conditions.get(self.value(), Q()))


class FactsInline(RecordedInline):
    model = CustomerFacts
    fields = (
        "orders_count",
        "orders_total",
        "points_count",
        "points_balance",
        "promo_codes_count",
        "last_action_at",
    )
    verbose_name_plural = _("orders, points and last action")


class IdentifierInline(RecordedInline):
    model = Identifier
    fields = ("kind", "value", "state", "origin_id", "since")
    ordering = ("kind", "is_former", "-is_primary", "since")

    @admin.display(description=_("state"))
    def state(self, identifier: Identifier) -> str | None:
        return state_of(identifier)


class ClaimInline(RecordedInline):
    model = Claim
    fields = ("identifier", "gives_access", "origin_id", "since")


class SubscriptionInline(RecordedInline):
    model = Subscription
    fields = ("channel", "topic", "status", "since")
    ordering = ("channel", "topic")


class MemberInline(RecordedInline):
    model = Customer
    fk_name = "profile"
    fields = ("maestra_id", "registered_at")
    ordering = ("id",)
    verbose_name_plural = _("MaestraIDs of this profile")

    @admin.display(description=_("MaestraID"))
    def maestra_id(self, member: Customer) -> SafeString | None:
        return customer_link(member.pk)


# Entries of the change history that a customer's page shows.
LATELY = 20
# What is kept under each MaestraID and read on a page of its own.
ELSEWHERE = (
    ("customers.change", "maestra_id", _("Change history")),
    ("customers.note", "maestra_id", _("Notes")),
    ("customers.relation", "maestra_id", _("Related customers")),
    ("customers.order", "maestra_id", _("Orders")),
    ("customers.pointsmovement", "maestra_id", _("Points")),
    ("customers.promocode", "maestra_id", _("Promo codes")),
    ("customers.activity", "maestra_id", _("Activity")),
    ("segments.membership", "customer_id", _("Segments")),
)


@admin.register(Customer)
class CustomerAdmin(Recorded):
    list_display = ("maestra_id", "name", "email", "mobile_phone", "registered_at", "profile_link")
    list_filter = (ShownFilter, ("registered_at", RangeDateTimeFilter))
    search_fields = ("id",)
    search_help_text = _("A MaestraID, any identifier, or the beginning of a name.")
    fieldsets = (
        (
            None,
            {"fields": (("maestra_id", "profile_link"), ("registered_at", "point"), "elsewhere", "lately")},
        ),
        (
            _("Personal data"),
            {"fields": (("last_name", "first_name", "middle_name"), ("birth_date", "gender", "time_zone"))},
        ),
        (_("More"), {"fields": ("custom_fields", "is_identified", ("opted_out_at", "erased_at"))}),
    )
    readonly_fields = ("maestra_id", "profile_link", "elsewhere", "lately")
    inlines = (IdentifierInline, ClaimInline, SubscriptionInline, FactsInline, MemberInline)
    actions = ("opt_out", "erase")
    actions_detail = ("export",)

    def has_opt_out_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("customers.change_customer")

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("customers.delete_customer")

    @admin.action(description=_("Opt out of everything"), permissions=["opt_out"])
    def opt_out(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse | None:
        words = {
            "title": _("Opt customers out"),
            "warning": _(
                "Every subscription of these customers ends, on every contact, until they subscribe anew."
            ),
            "button": _("Yes, opt out"),
        }
        if question := ask(request, self, queryset, "opt_out", **words):
            return question
        actor, user_id = f"user:{request.user.get_username()}", request.user.pk
        work = lambda customer: opt_out(customer.pk, actor=actor, user_id=user_id)  # noqa: E731
        do_each(self, request, queryset, work, _("opted out of everything."))
        return None

    @admin.action(description=_("Erase"), permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse | None:
        words = {
            "title": _("Erase customers"),
            "warning": _(
                "Everything that tells who these people are is removed, from their histories and those of "
                "others. Orders and amounts stay without a person. This cannot be taken back."
            ),
            "button": _("Yes, erase for ever"),
        }
        if question := ask(request, self, queryset, "erase", **words):
            return question
        actor, user_id = f"user:{request.user.get_username()}", request.user.pk
        work = lambda customer: erase(customer.pk, actor=actor, user_id=user_id)  # noqa: E731
        do_each(self, request, queryset, work, _("erased."))
        return None

    @action(description=_("Export"), permissions=["opt_out"])  # type: ignore[untyped-decorator]
    def export(self, request: HttpRequest, object_id: int) -> FileResponse:
        """Everything known of the person, as a file (R55)."""
        pieces = (piece.encode() for piece in export_in_pieces(int(object_id)))
        name = f"customer-{object_id}.json"
        return FileResponse(pieces, as_attachment=True, filename=name, content_type="application/json")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        primaries = Identifier.objects.filter(is_primary=True)
        customers: QuerySet[Customer] = super().get_queryset(request)
        return customers.prefetch_related(Prefetch("identifiers", primaries, "primaries"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (matching(queryset, term, catalogue()) if term else queryset), False

    @admin.display(description=_("MaestraID"), ordering="id")
    def maestra_id(self, customer: Customer) -> int:
        return customer.pk

    @admin.display(description=_("name"))
    def name(self, customer: Customer) -> str | None:
        return " ".join(filter(None, (customer.first_name, customer.middle_name, customer.last_name))) or None

    @admin.display(description=_("e-mail"))
    def email(self, customer: Customer) -> str | None:
        return primary(customer, EMAIL_ID)

    @admin.display(description=_("mobile phone"))
    def mobile_phone(self, customer: Customer) -> str | None:
        return primary(customer, MOBILE_PHONE_ID)

    @admin.display(description=_("profile"))
    def profile_link(self, customer: Customer) -> SafeString | None:
        return customer_link(customer.profile_id)

    @admin.display(description=_("lately"))
    def lately(self, customer: Customer) -> SafeString:
        """The latest entries of the change history, in words."""
        members = list(customer.members.values_list("pk", flat=True))
        entries = history(members, labels=catalogue().labels, limit=LATELY).items
        lines = ((entry["at"][:16].replace("T", " "), entry["sentence"]) for entry in entries)
        return format_html_join("", '<div class="mb-1"><span class="font-mono">{}</span> {}</div>', lines)

    @admin.display(description=_("see also"))
    def elsewhere(self, customer: Customer) -> SafeString:
        ids = ",".join(str(pk) for pk in sorted(customer.members.values_list("pk", flat=True)))
        links = [(link(page(model, **{f"{field}__in": ids}), text),) for model, field, text in ELSEWHERE]
        return format_html_join(" · ", "{}", links)


def primary(customer: Any, kind_id: int) -> str | None:
    return next((held.value for held in customer.primaries if held.kind_id == kind_id), None)


@admin.register(CustomerFacts)
class CustomerFactsAdmin(Recorded):
    list_display = (
        "customer_id",
        "orders_count",
        "orders_total",
        "points_balance",
        "promo_codes_count",
        "last_action_at",
    )
    search_fields = ("customer",)
    search_help_text = _("A MaestraID.")


@admin.register(Subscription)
class SubscriptionAdmin(Recorded):
    list_display = ("id", "whose", "channel", "topic", "status", "since")
    search_fields = ("customer",)
    search_help_text = _("A MaestraID, or an identifier of the customer.")
    fields = ("whose", "channel", "topic", "status", "since")
    readonly_fields = ("whose",)

    def matching(self, term: str) -> Q:
        return Q(customer__in=holders(term, catalogue()))

    @admin.display(description=_("customer"))
    def whose(self, subscription: Subscription) -> SafeString | None:
        return customer_link(subscription.customer_id)


@admin.register(Note)
class NoteAdmin(OfContact, Recorded):
    list_display = ("id", "customer", "at", "text", "other")
    search_fields = ("maestra_id", "related")
    search_help_text = _("A MaestraID.")
    fields = ("customer", "at", "text", "kind_shown", "value", "other", "decided_shown")
    readonly_fields = ("customer", "text", "kind_shown", "other", "decided_shown")

    @admin.display(description=_("note"))
    def text(self, note: Note) -> str:
        facts = (note.at, note.maestra_id, note.reason, note.kind, note.value, note.related, note.decided_by)
        return note_text(profile.Note(*facts), catalogue().labels)

    @admin.display(description=_("MaestraID"))
    def customer(self, note: Note) -> SafeString | None:
        return customer_link(note.maestra_id)

    @admin.display(description=_("other customer"))
    def other(self, note: Note) -> SafeString | None:
        return customer_link(note.related)


@admin.register(Relation)
class RelationAdmin(OfContact, Recorded):
    list_display = ("id", "customer", "other", "kind_shown", "value", "kept", "decided_shown", "at")
    search_fields = ("maestra_id", "related_id")
    search_help_text = _("A MaestraID.")
    fields = ("customer", "other", "kind_shown", "value", "kept", "decided_shown", "at")
    readonly_fields = ("customer", "other", "kind_shown", "decided_shown")

    @admin.display(description=_("MaestraID"))
    def customer(self, relation: Relation) -> SafeString | None:
        return customer_link(relation.maestra_id)

    @admin.display(description=_("related MaestraID"))
    def other(self, relation: Relation) -> SafeString | None:
        return customer_link(relation.related_id)


@admin.register(SuppressedValue)
class SuppressedValueAdmin(Recorded):
    """Keyed hashes: nothing can be read from them."""

    list_display = ("__str__", "at")
    ordering = ("pk",)
    fields = ("at",)
