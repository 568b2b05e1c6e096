"""Identifiers: one row per value, whoever holds it. The row stays for ever.

Invariants, all enforced by the database: a value has one row and so one holder (R2, R4–R9), which is a
primary MaestraID; others who had a unique one before have rows of their own (R3); of e-mails and phones a
customer has at most one primary (R7), of a unique kind at most one current value (R2); a row that nobody
holds has no flags. Rules about several rows are checked at commit, because they may be broken in the middle
of a merge.

`origin_id` is the MaestraID a value came to. It does not change while the value is held, which is what undo
needs (R46). Texts are compared and sorted by code point (collation C): the order does not depend on the
machine.
"""

from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Right
from django.utils.translation import gettext_lazy as _

from customers.contact_types import BY_NAME, CONTACT_TYPES
from customers.models.people import Customer
from customers.models.setup import IdentifierKind, IntegrationPoint
from customers.profile import EMAIL, MOBILE_PHONE

# IDs of the system's own kinds, made by migrations.
DEVICE_ID, MOBILE_DEVICE_ID = 4, 5
WITH_PRIMARY_IDS = tuple(type_.kind_id for type_ in CONTACT_TYPES if type_.has_primary)
MASKS = {type_.kind_id: type_.mask for type_ in CONTACT_TYPES}
CONTACT_IDS = tuple(type_.kind_id for type_ in CONTACT_TYPES)

# What is searched for of contacts, besides their beginnings.
EMAIL_DOMAIN = Func("value", Value("@"), Value(2), function="split_part", output_field=models.CharField())
PHONE_ENDING_LENGTH = 4
PHONE_ENDING = Right("value", PHONE_ENDING_LENGTH)

# A held value: an origin and a date. A free one: nothing but its text.
HELD = Q(customer__isnull=False, origin_id__isnull=False, since__isnull=False)
FREE = Q(
    customer__isnull=True,
    origin_id__isnull=True,
    is_former=False,
    is_primary=False,
    was_primary_at__isnull=True,
    must_be_confirmed=False,
    confirmed_at__isnull=True,
    gives_access=False,
)


class AtHead(models.Model):
    """Rows that move to the survivor when customers merge.

    In the database a foreign key leads from (customer_id, at_head) to (id, is_head) of the customer, so that
    no row can stay with a former MaestraID.
    """

    at_head = models.BooleanField(default=True, db_default=True, editable=False)

    class Meta:
        abstract = True
        constraints = [models.CheckConstraint(condition=Q(at_head=True), name="%(class)s_at_head")]


class Identifier(AtHead):
    """A value and who holds it. The row is never deleted while somebody holds or claims the value."""

    # In the database a foreign key leads to (id, is_unique) of the kind, so that `is_unique_kind` cannot be
    # wrong.
    kind = models.ForeignKey(
        IdentifierKind,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("kind"),
    )
    value = models.CharField(_("value"), db_collation="C", help_text=_("Normalised, as it is compared."))
    raw = models.CharField(_("as entered"))
    customer = models.ForeignKey(
        Customer,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="identifiers",
        verbose_name=_("held by"),
        help_text=_("The primary MaestraID of the customer who holds it."),
    )
    origin_id = models.BigIntegerField(_("recorded under MaestraID"), null=True, blank=True)
    since = models.DateTimeField(_("since"), null=True, blank=True)
    is_former = models.BooleanField(_("former"), default=False, db_default=False)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)
    is_primary = models.BooleanField(_("primary"), default=False, db_default=False)
    was_primary_at = models.DateTimeField(_("was primary until"), null=True, blank=True)
    must_be_confirmed = models.BooleanField(_("must be confirmed"), default=False, db_default=False)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    gives_access = models.BooleanField(_("gives account access"), default=False, db_default=False)
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
    used_at = models.DateTimeField(
        _("last named"),
        null=True,
        blank=True,
        help_text=_("By a record of its holder, where that is not the one it came with."),
    )
    is_unique_kind = models.BooleanField(
        _("of a unique kind"), default=False, db_default=False, editable=False
    )

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        # Lists of customers are filtered by these flags, which few identifiers have.
        indexes = [
            models.Index(fields=["customer"], name="identifier_gives_access", condition=Q(gives_access=True)),
            models.Index(
                fields=["kind", "customer"],
                name="identifier_confirmed",
                condition=Q(confirmed_at__isnull=False),
            ),
            models.Index(
                EMAIL_DOMAIN, name="identifier_email_domain", condition=Q(kind=BY_NAME[EMAIL].kind_id)
            ),
            models.Index(
                PHONE_ENDING, name="identifier_phone_ending", condition=Q(kind=BY_NAME[MOBILE_PHONE].kind_id)
            ),
        ]
        constraints = [
            *AtHead.Meta.constraints,
            models.UniqueConstraint(fields=["kind", "value"], name="identifier_one_row_per_value"),
            models.CheckConstraint(condition=~Q(value=""), name="identifier_value_not_empty"),
            models.CheckConstraint(condition=HELD | FREE, name="identifier_held_or_free"),
            models.CheckConstraint(
                condition=Q(is_former=False, retired_at__isnull=True)
                | Q(is_former=True, retired_at__isnull=False, is_unique_kind=True),
                name="identifier_only_unique_ones_retire",
            ),
            models.CheckConstraint(
                condition=Q(is_primary=False) | Q(kind__in=WITH_PRIMARY_IDS), name="identifier_primary"
            ),
            models.CheckConstraint(
                condition=Q(must_be_confirmed=False, confirmed_at__isnull=True, gives_access=False)
                | Q(kind__in=CONTACT_IDS),
                name="identifier_only_contacts_have_flags",
            ),
        ]

    def __str__(self) -> str:
        """A contact masked: titles of pages show it to whoever opens them."""
        mask = MASKS.get(self.kind_id)
        return mask(self.value) if mask else self.value


class FormerIdentifier(AtHead):
    """That a customer had a unique ID which somebody else has by now, or retired later. Nobody is found by it
    (R3).
    """

    kind = models.ForeignKey(
        IdentifierKind, models.PROTECT, db_index=False, related_name="+", verbose_name=_("kind")
    )
    value = models.CharField(_("value"), db_collation="C", help_text=_("Normalised, as it is compared."))
    raw = models.CharField(_("as entered"))
    customer = models.ForeignKey(
        Customer,
        models.PROTECT,
        db_constraint=False,
        related_name="former_identifiers",
        verbose_name=_("customer"),
    )
    origin_id = models.BigIntegerField(_("recorded under MaestraID"))
    since = models.DateTimeField(_("since"))
    retired_at = models.DateTimeField(_("retired"))
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

    class Meta:
        verbose_name = _("former identifier")
        verbose_name_plural = _("former identifiers")
        constraints = [
            *AtHead.Meta.constraints,
            models.UniqueConstraint(fields=["kind", "value", "origin_id"], name="former_once_per_origin"),
        ]

    def __str__(self) -> str:
        return self.value


class Claim(AtHead):
    """A contact that a customer gave but does not hold: somebody else does, or it awaits its confirmation
    (R30, R43). It matches nobody.
    """

    identifier = models.ForeignKey(
        Identifier, models.PROTECT, db_index=False, related_name="claims", verbose_name=_("identifier")
    )
    customer = models.ForeignKey(
        Customer, models.PROTECT, db_constraint=False, related_name="claims", verbose_name=_("claimed by")
    )
    origin_id = models.BigIntegerField(_("recorded under MaestraID"))
    raw = models.CharField(
        _("as entered"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Empty if it is the same as the identifier."),
    )
    since = models.DateTimeField(_("since"))
    gives_access = models.BooleanField(_("would give account access"), default=False, db_default=False)
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

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        constraints = [
            *AtHead.Meta.constraints,
            models.UniqueConstraint(fields=["identifier", "origin_id"], name="claim_once_per_origin"),
        ]

    def __str__(self) -> str:
        return f"{self.identifier_id} – {self.customer_id}"


class PaymentCard(AtHead):
    """The keyed hash of a payment card (R10). Several customers may have the same one. Never shown without
    the permission.
    """

    hash = models.CharField(_("hash"), db_collation="C")
    customer = models.ForeignKey(
        Customer,
        models.PROTECT,
        db_constraint=False,
        related_name="payment_cards",
        verbose_name=_("customer"),
    )
    origin_id = models.BigIntegerField(_("recorded under MaestraID"))
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("payment card")
        verbose_name_plural = _("payment cards")
        constraints = [
            *AtHead.Meta.constraints,
            models.UniqueConstraint(fields=["hash", "origin_id"], name="paymentcard_once_per_origin"),
        ]

    def __str__(self) -> str:
        return str(_("Payment card of customer %s")) % self.customer_id


class DeviceUse(models.Model):
    """One row for each time that a device came to a customer. Tells which devices are shared (R26), and whose
    a device was at any time (R8).

    Of a device or plain identifier that stays with its holder, although another customer used it before,
    there are two rows: the other's use, and the holder's next (R59).
    """

    identifier = models.ForeignKey(
        Identifier, models.PROTECT, db_index=False, related_name="uses", verbose_name=_("device")
    )
    origin_id = models.BigIntegerField(_("MaestraID"))
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("device use")
        verbose_name_plural = _("device uses")
        constraints = [
            models.UniqueConstraint(fields=["identifier", "since", "origin_id"], name="deviceuse_once"),
        ]
        indexes = [models.Index(fields=["origin_id"], name="deviceuse_origin_id")]

    def __str__(self) -> str:
        return f"{self.identifier_id} – {self.origin_id}"
