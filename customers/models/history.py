"""The change history: one operation per transaction, one change row per record and MaestraID (R40).

Append-only, kept so by a trigger: the only update that passes takes something away for an erasure (R54).
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.setup import IntegrationPoint


class TransactionIdField(models.Field):  # type: ignore[type-arg]  # not generic when it runs
    """PostgreSQL's `xid8`: tells which operations every reader can see already."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 - Django's signature
        return "xid8"


class CurrentTransactionId(Func):
    function = "pg_current_xact_id"
    template = "%(function)s()"
    output_field = TransactionIdField()


class Operation(models.Model):
    """What somebody or something did, as one transaction."""

    kind = models.CharField(_("kind"))
    actor = models.CharField(
        _("by"), help_text=_("key:<first characters of the key>, user:<user name> or system.")
    )
    actor_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("user"),
    )
    point = models.ForeignKey(
        IntegrationPoint,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("integration point"),
    )
    at = models.DateTimeField(_("at"), db_default=Now())
    xid = TransactionIdField(_("transaction"), db_default=CurrentTransactionId(), editable=False)
    position = models.BigIntegerField(
        _("position"),
        null=True,
        editable=False,
        help_text=_(
            "Place in the change feed, without gaps. Assigned once all earlier transactions have ended."
        ),
    )

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        constraints = [models.UniqueConstraint(fields=["position"], name="operation_position")]
        indexes = [
            models.Index(
                fields=["xid"], name="operation_without_position", condition=Q(position__isnull=True)
            ),
            models.Index(F("at").desc(), name="operation_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Change(models.Model):
    """What a record changed for one MaestraID: `data` is a list of entries `{"kind": …, …facts}` in their
    order.

    `at` is when it happened: yesterday, for a record about yesterday. When it was learned of is the time of
    the operation; a record that names no time counts as having happened then.
    """

    operation = models.ForeignKey(
        Operation, models.PROTECT, related_name="changes", verbose_name=_("operation")
    )
    maestra_id = models.BigIntegerField(_("MaestraID"))
    at = models.DateTimeField(_("at"))
    data = models.JSONField(_("entries"), default=list, db_default=[])
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("change history")
        indexes = [models.Index(F("maestra_id"), F("id").desc(), name="change_as_told")]

    def __str__(self) -> str:
        return str(self.pk)
