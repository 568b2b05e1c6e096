"""How the admin looks and what its sidebar offers: to each member of staff the pages they may open."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def may_view(model: str) -> Callable[[HttpRequest], bool]:
    app, name = model.split(".")
    return lambda request: request.user.has_perm(f"{app}.view_{name}")


def page(title: Promise | str, icon: str, model: str) -> dict[str, Any]:
    """A line of the sidebar: the list of a model, as `customers.customer`."""
    link = reverse_lazy(f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": may_view(model)}


def is_in_queue(request: HttpRequest) -> bool:
    """Whether a page of the review queue is open. Comparing has addresses below it, and its own line."""
    return "/dedup/reviewpair/" in request.path and "/explain/" not in request.path


def is_in_segmentations(request: HttpRequest) -> bool:
    """Whether a segmentation or one of its segments is open."""
    return request.path.startswith(("/admin/segments/segmentation/", "/admin/segments/segment/"))


SIDEBAR = [
    {
        "items": [{"title": _("Dashboard"), "icon": "dashboard", "link": reverse_lazy("admin:index")}],
    },
    {
        "title": _("Customers"),
        "separator": True,
        "items": [
            page(_("Customers"), "person", "customers.customer"),
            page(_("Identifiers"), "fingerprint", "customers.identifier"),
            page(_("Claims"), "front_hand", "customers.claim"),
            page(_("Subscriptions"), "mark_email_read", "customers.subscription"),
            page(_("Change history"), "history", "customers.change"),
            page(_("Notes"), "sticky_note_2", "customers.note"),
            page(_("Related customers"), "group", "customers.relation"),
        ],
    },
    {
        "title": _("Decisions"),
        "separator": True,
        "items": [
            {
                **page(_("To review"), "rate_review", "dedup.reviewpair"),
                "active": is_in_queue,
            },
            page(_("Merges"), "merge", "dedup.merge"),
            page(_("Kept apart"), "call_split", "dedup.apartpair"),
            {
                "title": _("Compare"),
                "icon": "compare_arrows",
                "link": reverse_lazy("admin:dedup_reviewpair_explain"),
                "permission": may_view("dedup.reviewpair"),
            },
        ],
    },
    {
        "title": _("Segments"),
        "separator": True,
        "items": [
            {
                **page(_("Segmentations"), "category", "segments.segmentation"),
                "active": is_in_segmentations,
            },
            page(_("Members"), "groups", "segments.membership"),
        ],
    },
    {
        "title": _("Imports"),
        "separator": True,
        "items": [
            page(_("Imports"), "upload_file", "dedup.import"),
            page(_("Saved mappings"), "conversion_path", "dedup.importmapping"),
        ],
    },
    {
        "title": _("Orders and loyalty"),
        "separator": True,
        "collapsible": True,
        "items": [
            page(_("Orders"), "shopping_bag", "customers.order"),
            page(_("Points"), "loyalty", "customers.pointsmovement"),
            page(_("Promo codes"), "redeem", "customers.promocode"),
            page(_("Activity"), "ads_click", "customers.activity"),
        ],
    },
    {
        "title": _("Set-up"),
        "separator": True,
        "collapsible": True,
        "items": [
            page(_("Integration points"), "input", "customers.integrationpoint"),
            page(_("API keys"), "key", "customers.apikey"),
            page(_("Sites"), "language", "dedup.site"),
            page(_("Identifier kinds"), "badge", "customers.identifierkind"),
            page(_("Custom fields"), "list_alt", "customers.customfield"),
            page(_("Block list"), "block", "customers.blockedvalue"),
            page(_("Settings"), "settings", "customers.projectsettings"),
        ],
    },
    {
        "title": _("Operations"),
        "separator": True,
        "collapsible": True,
        "items": [
            page(_("Operations"), "receipt_long", "customers.operation"),
            page(_("Waiting events"), "inbox", "dedup.event"),
            page(_("Failed events"), "error", "dedup.failedevent"),
            page(_("Forgotten months"), "event_busy", "dedup.forgottenmonth"),
            page(_("Confirmations"), "verified", "dedup.confirmation"),
            page(_("Idempotency keys"), "repeat", "dedup.idempotencykey"),
            page(_("Totals"), "calculate", "customers.customerfacts"),
            page(_("Device uses"), "devices", "customers.deviceuse"),
            page(_("Payment cards"), "credit_card", "customers.paymentcard"),
            page(_("Suppression list"), "person_off", "customers.suppressedvalue"),
            page(_("Reveals"), "visibility", "customers.reveal"),
        ],
    },
    {
        "title": _("Staff"),
        "separator": True,
        "collapsible": True,
        "items": [
            page(_("Users"), "account_circle", "auth.user"),
            page(_("Roles"), "shield_person", "auth.group"),
            page(_("Sign-ins"), "login", "axes.accesslog"),
            page(_("Failed sign-ins"), "lock", "axes.accessattempt"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Selfsame",
    "SITE_HEADER": "Selfsame",
    "SITE_SUBHEADER": _("One profile per person"),
    "SITE_SYMBOL": "join_inner",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _request: static("selfsame/icon.svg"),
        }
    ],
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda _request: static("customers/pages.css")],
    "SCRIPTS": [lambda _request: static("customers/pages.js")],
    "DASHBOARD_CALLBACK": "dedup.admin.dashboard.context",
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": SIDEBAR},
}
