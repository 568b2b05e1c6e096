"""Customers with their single values, subscriptions, notes and related customers.

Invariants, all enforced by the database: `profile_id` of every MaestraID points straight at a primary one,
never at a former one; what is unknown is NULL, never an empty text. The rows of an absorbed customer (its
single values, subscriptions) stay as they were at the merge, which is what undo needs.
"""

# ruff: noqa: DJ001 - see above: NULL is meant
from functools import reduce
from operator import and_

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from customers.models.setup import IntegrationPoint
from customers.profile import PERSONAL_LABELS, PERSONAL_TYPES
from customers.words import CHANNELS, STATUSES


class Genders(models.TextChoices):
    MALE = "male", _("Male")
    FEMALE = "female", _("Female")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Unknown")


class Channels(models.TextChoices):
    EMAIL = "email", _(CHANNELS["email"])
    SMS = "sms", _(CHANNELS["sms"])
    WEB_PUSH = "web_push", _(CHANNELS["web_push"])
    MOBILE_PUSH = "mobile_push", _(CHANNELS["mobile_push"])
    VIBER = "viber", _(CHANNELS["viber"])
    CALL = "call", _(CHANNELS["call"])


class Statuses(models.TextChoices):
    SUBSCRIBED = "subscribed", capfirst(_(STATUSES["subscribed"]))
    AWAITING_CONFIRMATION = "awaiting_confirmation", capfirst(_(STATUSES["awaiting_confirmation"]))
    UNSUBSCRIBED = "unsubscribed", capfirst(_(STATUSES["unsubscribed"]))


NAME_WORDS = Func(
    Func(
        Value(True),
        *("last_name", "first_name", "middle_name"),
        function="customers_name_words",
        output_field=ArrayField(models.TextField()),
    ),
    function="array_to_tsvector",
    output_field=SearchVectorField(),
)
"""The words of a customer's names as the search compares them: without case, accents and apostrophes. The
function in the database makes them for the index of names and of what is searched for alike.
"""
TEXTS = (*(name for name, of in PERSONAL_TYPES.items() if of is str), "time_zone")


def not_empty(*names: str) -> Q:
    return reduce(and_, (~Q(**{name: ""}) for name in names))


class Customer(models.Model):
    """One MaestraID (R1). All with the same `profile` are one person; `profile` is the primary MaestraID."""

    id = models.BigAutoField(_("MaestraID"), primary_key=True)
    # Replaced in the database by the deferred foreign key (profile_id, points_at_head) → (id, is_head).
    profile = models.ForeignKey(
        "self", models.PROTECT, db_constraint=False, related_name="members", verbose_name=_("profile")
    )
    # "Head" in names of columns means the primary MaestraID. The names stay: while a release is rolled out,
    # processes of the earlier one read the same tables.
    is_head = models.GeneratedField(
        expression=Exact(F("id"), F("profile")),
        output_field=models.BooleanField(),
        db_persist=True,
        verbose_name=_("is primary"),
    )
    points_at_head = models.BooleanField(default=True, db_default=True, editable=False)
    registered_at = models.DateTimeField(_("registered"))
    # No foreign key in the database, here and wherever many rows name their integration point: every write
    # would lock the point's one row.
    point = models.ForeignKey(
        IntegrationPoint,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("integration point"),
    )
    last_name = models.CharField(_(PERSONAL_LABELS["last_name"]), null=True, blank=True)
    first_name = models.CharField(_(PERSONAL_LABELS["first_name"]), null=True, blank=True)
    middle_name = models.CharField(_(PERSONAL_LABELS["middle_name"]), null=True, blank=True)
    birth_date = models.DateField(_(PERSONAL_LABELS["birth_date"]), null=True, blank=True)
    gender = models.CharField(_(PERSONAL_LABELS["gender"]), choices=Genders, null=True, blank=True)
    time_zone = models.CharField(_("time zone"), null=True, blank=True)
    custom_fields = models.JSONField(_("custom fields"), default=dict, db_default={}, blank=True)
    opted_out_at = models.DateTimeField(_("opted out"), null=True, blank=True)
    is_identified = models.BooleanField(
        _("identified"),
        default=False,
        db_default=False,
        help_text=_("Has an identifier other than devices and payment cards."),
    )
    # How young the values are: the times of the records that last changed them (R59).
    personal_at = models.DateTimeField(_("personal data changed"), null=True, blank=True)
    time_zone_at = models.DateTimeField(_("time zone changed"), null=True, blank=True)
    custom_fields_at = models.JSONField(_("custom fields changed"), null=True, blank=True)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [
            ("view_contacts", _("Can see contacts unmasked")),
            ("reveal_contacts", _("Can reveal masked contacts one by one, which is recorded")),
            ("edit_customer", _("Can edit customers")),
            ("export_list", _("Can export lists of customers")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["id", "is_head"], name="customer_id_is_head"),
            models.CheckConstraint(condition=Q(points_at_head=True), name="customer_points_at_head"),
            models.CheckConstraint(condition=Q(id__gt=0), name="customer_maestra_id_is_positive"),
            models.CheckConstraint(condition=not_empty(*TEXTS), name="customer_unknown_is_null"),
            models.CheckConstraint(condition=Q(gender__in=Genders.values), name="customer_gender"),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="customer_identified",
                condition=Q(is_head=True, is_identified=True, erased_at__isnull=True),
            ),
            models.Index(F("registered_at").desc(), F("id").desc(), name="customer_registered_at"),
            # Whole, not partial: PostgreSQL takes statistics of expressions from whole indexes only. Without
            # a list of what is to be entered later, which every search would go through.
            GinIndex(NAME_WORDS, name="customer_name_words", fastupdate=False),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class CustomerFacts(models.Model):
    """Totals of a MaestraID's ledgers, so that deciding needs no aggregate (R29, R39). There is no row where
    the ledgers are empty.
    """

    customer = models.OneToOneField(
        Customer, models.PROTECT, primary_key=True, related_name="facts", verbose_name=_("customer")
    )
    orders_count = models.IntegerField(_("orders"), default=0, db_default=0)
    orders_total = models.DecimalField(
        _("total of orders"), max_digits=20, decimal_places=2, default=0, db_default=0
    )
    points_count = models.IntegerField(_("point movements"), default=0, db_default=0)
    points_balance = models.DecimalField(
        _("points balance"), max_digits=20, decimal_places=2, default=0, db_default=0
    )
    promo_codes_count = models.IntegerField(_("promo codes"), default=0, db_default=0)
    last_action_at = models.DateTimeField(_("last personal action"), null=True, blank=True)

    class Meta:
        verbose_name = _("customer totals")
        verbose_name_plural = _("customer totals")
        constraints = [
            models.CheckConstraint(
                condition=Q(orders_count__gte=0, points_count__gte=0, promo_codes_count__gte=0),
                name="customerfacts_counts",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Subscription(models.Model):
    """Consent per channel and topic (R37). The channel without a topic is a subscription of its own."""

    customer = models.ForeignKey(
        Customer, models.PROTECT, db_index=False, related_name="subscriptions", verbose_name=_("customer")
    )
    channel = models.CharField(_("channel"), choices=Channels)
    topic = models.CharField(_("topic"), blank=True, default="", db_default="")
    status = models.CharField(_("status"), choices=Statuses)
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["customer", "channel", "topic"], name="subscription_key"),
            models.CheckConstraint(condition=Q(channel__in=Channels.values), name="subscription_channel"),
            models.CheckConstraint(condition=Q(status__in=Statuses.values), name="subscription_status"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.topic}".strip()


class Note(models.Model):
    """A remark on a profile (R30, R46), stored as facts that are put into words when it is shown. It stays
    with the MaestraID it was made for.
    """

    maestra_id = models.BigIntegerField(_("MaestraID"))
    at = models.DateTimeField(_("at"))
    reason = models.CharField(_("reason"))
    kind = models.CharField(_("identifier kind"))
    value = models.CharField(_("value"))
    related = models.BigIntegerField(_("other customer"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), null=True, blank=True)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [
            models.Index(fields=["maestra_id"], name="note_maestra_id"),
            models.Index(fields=["related"], name="note_related", condition=Q(related__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.maestra_id}: {self.value}"


class Relation(models.Model):
    """Two customers who gave the same contact and remained two, as seen from `maestra_id` (R30). Each pair
    has a row in each direction.
    """

    maestra_id = models.BigIntegerField(_("MaestraID"))
    related_id = models.BigIntegerField(_("related MaestraID"))
    kind = models.CharField(_("identifier kind"))
    value = models.CharField(_("value"))
    decided_by = models.CharField(_("decided by"), null=True, blank=True)
    kept = models.BooleanField(_("holds it"), help_text=_("This customer holds the contact."))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("related customer")
        verbose_name_plural = _("related customers")
        constraints = [
            models.UniqueConstraint(
                fields=["maestra_id", "related_id", "kind", "value"], name="relation_contact_and_direction"
            ),
            models.CheckConstraint(condition=~Q(maestra_id=F("related_id")), name="relation_of_two"),
        ]
        indexes = [models.Index(fields=["related_id"], name="relation_related_id")]

    def __str__(self) -> str:
        return f"{self.maestra_id} – {self.related_id}"


class SuppressedValue(models.Model):
    """The keyed hash of a value of an erased person (R54)."""

    digest = models.CharField(_("digest"), primary_key=True)
    at = models.DateTimeField(_("erased"))

    class Meta:
        verbose_name = _("suppressed value")
        verbose_name_plural = _("suppression list")

    def __str__(self) -> str:
        return f"{self.digest[:12]}…"
