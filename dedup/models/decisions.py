"""What the decisions leave behind: the merge journal, pairs held apart, pairs to review, confirmations,
idempotency keys.

MaestraIDs in the journal and in pairs are the ones at the time; they bear no foreign key, as in the history.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Identifier, Operation
from dedup.engine.reasons import Reason

REASONS = {reason.value: _(reason.label) for reason in Reason}
"""Why two were taken for one person, by the name that is stored (R41)."""


class Merge(models.Model):
    """One merge of two stored customers, with the images undo needs (R41, R46).

    `absorbed_ids` are all MaestraIDs that came with the absorbed profile. `priority_id` is the MaestraID
    whose data had priority, empty where the incoming record's had.
    """

    operation = models.ForeignKey(
        Operation, models.PROTECT, related_name="merges", verbose_name=_("operation")
    )
    survivor_id = models.BigIntegerField(_("resulting customer"))
    absorbed_id = models.BigIntegerField(_("merged customer"))
    absorbed_ids = ArrayField(models.BigIntegerField(), verbose_name=_("merged MaestraIDs"))
    reason = models.CharField(_("reason"), choices=REASONS)
    criterion = models.CharField(_("deciding criterion"), null=True, blank=True)  # noqa: DJ001
    priority_id = models.BigIntegerField(_("customer with priority"), null=True, blank=True)
    matched = models.JSONField(_("values that matched"), default=list, db_default=[])
    before_survivor = models.JSONField(_("resulting customer before"))
    before_absorbed = models.JSONField(_("merged customer before"))
    result = models.JSONField(_("result"))
    at = models.DateTimeField(_("at"), db_default=Now())
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    undone_by_operation = models.ForeignKey(
        Operation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="undone_merges",
        verbose_name=_("undone by operation"),
    )

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.CheckConstraint(condition=~Q(survivor_id=F("absorbed_id")), name="merge_of_two"),
            models.CheckConstraint(condition=Q(reason__in=list(REASONS)), name="merge_reason"),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by_operation__isnull=True)
                | Q(undone_at__isnull=False, undone_by_operation__isnull=False),
                name="merge_undone_by_an_operation",
            ),
            # Nobody is merged away twice, unless it was undone in between.
            models.UniqueConstraint(
                fields=["absorbed_id"], name="merge_absorbed_once", condition=Q(undone_at__isnull=True)
            ),
        ]
        indexes = [
            models.Index(fields=["survivor_id", "id"], name="merge_survivor"),
            GinIndex(fields=["absorbed_ids"], name="merge_absorbed"),
            models.Index(F("at").desc(), name="merge_at"),
        ]

    def __str__(self) -> str:
        return f"{self.absorbed_id} → {self.survivor_id}"


class ApartPair(models.Model):
    """Two MaestraIDs that are never one person, until somebody lifts it (R22, R46). The lower one first."""

    low_id = models.BigIntegerField(_("lower MaestraID"))
    high_id = models.BigIntegerField(_("higher MaestraID"))
    why = models.CharField(_("why"), blank=True, default="", db_default="")
    at = models.DateTimeField(_("at"), db_default=Now())
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)

    class Meta:
        verbose_name = _("pair kept apart")
        verbose_name_plural = _("pairs kept apart")
        constraints = [
            models.CheckConstraint(condition=Q(low_id__lt=F("high_id")), name="apartpair_order"),
            models.UniqueConstraint(
                fields=["low_id", "high_id"], name="apartpair_active", condition=Q(lifted_at__isnull=True)
            ),
        ]
        indexes = [
            models.Index(fields=["high_id"], name="apartpair_high", condition=Q(lifted_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.low_id} ≠ {self.high_id}"


class ReviewStatuses(models.TextChoices):
    OPEN = "open", _("To review")
    SEEN = "seen", _("Reviewed")


class ReviewPair(models.Model):
    """Two customers that share a value and may not merge (R22), for somebody to look at. One row a pair, the
    lower ID first.
    """

    low_id = models.BigIntegerField(_("lower MaestraID"))
    high_id = models.BigIntegerField(_("higher MaestraID"))
    shared = models.JSONField(_("shared values"), default=list, db_default=[])
    vetoes = models.JSONField(_("why they are separate"), default=list, db_default=[])
    at = models.DateTimeField(_("last matched"), db_default=Now())
    status = models.CharField(
        _("status"), choices=ReviewStatuses, default=ReviewStatuses.OPEN, db_default=ReviewStatuses.OPEN
    )

    class Meta:
        verbose_name = _("pair to review")
        verbose_name_plural = _("pairs to review")
        constraints = [
            models.CheckConstraint(condition=Q(low_id__lt=F("high_id")), name="reviewpair_order"),
            models.CheckConstraint(condition=Q(status__in=ReviewStatuses.values), name="reviewpair_status"),
            models.UniqueConstraint(fields=["low_id", "high_id"], name="reviewpair_once"),
        ]
        indexes = [
            models.Index(fields=["high_id"], name="reviewpair_high"),
            models.Index(
                F("at").desc(),
                F("id").desc(),
                name="reviewpair_open",
                condition=Q(status=ReviewStatuses.OPEN),
            ),
            # All of them by day, for the dashboard.
            models.Index(fields=["at"], name="reviewpair_at"),
        ]

    def __str__(self) -> str:
        return f"{self.low_id} – {self.high_id}"


class IdempotencyKey(models.Model):
    """The first answer to a key, given again for 24 hours. Without a status: the operation is still running.

    `maestra_ids` are the customers the answer shows, so that an erasure finds it (R54).
    """

    scope = models.CharField(_("whose key"), help_text=_("The API key, by its ID."))
    key = models.CharField(_("key"))
    body_hash = models.CharField(_("hash of path and body"))
    status = models.SmallIntegerField(_("HTTP status"), null=True, blank=True)
    response = models.JSONField(_("answer"), null=True, blank=True)
    maestra_ids = ArrayField(
        models.BigIntegerField(), verbose_name=_("customers shown"), default=list, db_default=[]
    )
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotencykey_once")]
        indexes = [
            models.Index(fields=["created_at"], name="idempotencykey_created_at"),
            GinIndex(fields=["maestra_ids"], name="idempotencykey_maestra_ids", fastupdate=True),
        ]

    def __str__(self) -> str:
        return self.key


class ConfirmationKinds(models.TextChoices):
    LINK = "link", _("Link by e-mail")
    CODE = "code", _("Code by SMS")


class Confirmation(models.Model):
    """A link or code for a pending contact (R45), waiting to be sent while `sent_at` is empty.

    Only its digest is kept.
    """

    identifier = models.ForeignKey(
        Identifier, models.PROTECT, db_index=False, related_name="confirmations", verbose_name=_("contact")
    )
    maestra_id = models.BigIntegerField(_("MaestraID"))
    kind = models.CharField(_("kind"), choices=ConfirmationKinds)
    digest = models.CharField(_("digest"), null=True, blank=True)  # noqa: DJ001 - unique once there is one
    asked_at = models.DateTimeField(_("asked for"), db_default=Now())
    failures = models.SmallIntegerField(_("times it could not be sent"), default=0, db_default=0)
    retry_at = models.DateTimeField(_("tried again"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    tries = models.SmallIntegerField(_("wrong tries"), default=0, db_default=0)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)

    class Meta:
        verbose_name = _("confirmation")
        verbose_name_plural = _("confirmations")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ConfirmationKinds.values), name="confirmation_kind"),
            models.UniqueConstraint(
                fields=["digest"], name="confirmation_link", condition=Q(kind=ConfirmationKinds.LINK)
            ),
        ]
        indexes = [
            models.Index(fields=["identifier", "maestra_id"], name="confirmation_of_contact"),
            models.Index(fields=["maestra_id"], name="confirmation_of_customer"),
            models.Index(fields=["id"], name="confirmation_to_send", condition=Q(sent_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
