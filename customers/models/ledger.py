"""The ledgers. Their rows keep the MaestraID that they happened to for ever (R39), so a merge writes none of
them.

They have no foreign key to the customer: customers are never deleted, and checking it would cost a third of
the write speed.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Order(models.Model):
    """An order, under its unique number (R57)."""

    number = models.CharField(_("number"))
    maestra_id = models.BigIntegerField(_("MaestraID"))
    total = models.DecimalField(_("total"), max_digits=18, decimal_places=2)
    currency = models.CharField(_("currency"), blank=True, default="", db_default="")
    placed_at = models.DateTimeField(_("placed"))
    status = models.CharField(_("status"), blank=True, default="", db_default="")
    lines = models.JSONField(_("lines"), default=list, db_default=[], blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [models.UniqueConstraint(fields=["number"], name="order_number")]
        indexes = [
            models.Index(F("maestra_id"), F("placed_at").desc(), F("id").desc(), name="order_of_customer")
        ]

    def __str__(self) -> str:
        return self.number


class PointsMovement(models.Model):
    """Reward points added or, where negative, taken (R58)."""

    # NULL, not an empty text: a number is unique, but a movement need not have one.
    number = models.CharField(_("number"), null=True, blank=True)  # noqa: DJ001
    maestra_id = models.BigIntegerField(_("MaestraID"))
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=2)
    reason = models.CharField(_("reason"), blank=True, default="", db_default="")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("points movement")
        verbose_name_plural = _("points movements")
        constraints = [models.UniqueConstraint(fields=["number"], name="pointsmovement_number")]
        indexes = [
            models.Index(F("maestra_id"), F("at").desc(), F("id").desc(), name="pointsmovement_of_customer")
        ]

    def __str__(self) -> str:
        return f"{self.amount}"


class PromoCode(models.Model):
    """A promo code issued to a customer (R58)."""

    code = models.CharField(_("code"))
    maestra_id = models.BigIntegerField(_("MaestraID"))
    issued_at = models.DateTimeField(_("issued"))

    class Meta:
        verbose_name = _("promo code")
        verbose_name_plural = _("promo codes")
        constraints = [models.UniqueConstraint(fields=["code"], name="promocode_code")]
        indexes = [
            models.Index(F("maestra_id"), F("issued_at").desc(), F("id").desc(), name="promocode_of_customer")
        ]

    def __str__(self) -> str:
        return self.code


class Activity(models.Model):
    """What a customer did on the site or in the app (R47–R50). Partitioned by month of `occurred_at`.

    The table is made by hand in the migration: its key in the database is (id, occurred_at). The uuid lets
    an event that is sent twice arrive once.
    """

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(_("UUID"))
    maestra_id = models.BigIntegerField(_("MaestraID"))
    kind = models.CharField(_("kind"))
    occurred_at = models.DateTimeField(_("occurred"))
    device_id = models.BigIntegerField(
        _("device"), null=True, blank=True, help_text=_("ID of the identifier.")
    )
    url = models.CharField(_("URL"), blank=True, default="", db_default="")
    title = models.CharField(_("title"), blank=True, default="", db_default="")
    properties = models.JSONField(_("properties"), default=dict, db_default={}, blank=True)

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        constraints = [
            models.UniqueConstraint(fields=["uuid", "occurred_at"], name="activity_exactly_once"),
            models.CheckConstraint(condition=~Q(kind=""), name="activity_kind"),
        ]
        indexes = [
            models.Index(
                F("maestra_id"), F("occurred_at").desc(), F("id").desc(), name="activity_of_customer"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.occurred_at}"
