"""Segmentations, their mutually exclusive segments, who is in them, and recalculations (R51, R52).

Invariants, kept by the database: a customer is in at most one segment of a segmentation, and the segment is
one of that segmentation. The memberships of an absorbed customer stay as they were at the merge, which is
what undo needs.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.models.setup import SYSTEM_NAME, SYSTEM_NAME_HELP, system_name_is_well_formed


class SegmentationKinds(models.TextChoices):
    STATIC = "static", _("Static: members are put in and out")
    CALCULATED = "calculated", _("Calculated: members meet a condition")


class Segmentation(models.Model):
    system_name = models.CharField(
        _("system name"), unique=True, validators=[SYSTEM_NAME], help_text=SYSTEM_NAME_HELP
    )
    name = models.CharField(_("name"))
    kind = models.CharField(
        _("kind"),
        choices=SegmentationKinds,
        default=SegmentationKinds.STATIC,
        db_default=SegmentationKinds.STATIC,
    )

    class Meta:
        verbose_name = _("segmentation")
        verbose_name_plural = _("segmentations")
        ordering = ["name"]
        constraints = [
            system_name_is_well_formed("segmentation_system_name"),
            models.CheckConstraint(condition=Q(kind__in=SegmentationKinds.values), name="segmentation_kind"),
        ]

    def __str__(self) -> str:
        return self.name


class Segment(models.Model):
    """A segment; where several could apply, the higher ID wins (R38, R51)."""

    segmentation = models.ForeignKey(
        Segmentation,
        models.PROTECT,
        db_index=False,
        related_name="segments",
        verbose_name=_("segmentation"),
    )
    system_name = models.CharField(_("system name"), validators=[SYSTEM_NAME], help_text=SYSTEM_NAME_HELP)
    name = models.CharField(_("name"))
    # NULL: nobody is in a calculated segment that has no condition yet; a static one never has any.
    condition = models.JSONField(_("condition"), null=True, blank=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["segmentation", "id"]
        constraints = [
            system_name_is_well_formed("segment_system_name"),
            models.UniqueConstraint(fields=["segmentation", "system_name"], name="segment_in_segmentation"),
            # What memberships refer to, so that the segment is one of their segmentation.
            models.UniqueConstraint(fields=["id", "segmentation"], name="segment_id_segmentation"),
        ]

    def __str__(self) -> str:
        return self.name


class FormerSegment(models.Model):
    """The system names of a deleted segment, under its ID: by them the change history goes on telling of it
    (R52). Written by the database, whoever deletes it.
    """

    id = models.BigIntegerField(primary_key=True)
    segmentation = models.CharField()
    segment = models.CharField()

    def __str__(self) -> str:
        return f"{self.segmentation}/{self.segment}"


class Membership(models.Model):
    """A customer in a segment, and since when (R52)."""

    customer = models.ForeignKey(
        Customer, models.PROTECT, db_index=False, related_name="memberships", verbose_name=_("customer")
    )
    # Both are one foreign key in the database: (segment_id, segmentation_id) → segment (id, segmentation_id).
    segmentation = models.ForeignKey(
        Segmentation,
        models.PROTECT,
        db_index=False,
        db_constraint=False,
        related_name="memberships",
        verbose_name=_("segmentation"),
    )
    segment = models.ForeignKey(
        Segment,
        models.PROTECT,
        db_index=False,
        db_constraint=False,
        related_name="memberships",
        verbose_name=_("segment"),
    )
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["customer", "segmentation"], name="membership_one_segment"),
        ]
        indexes = [models.Index(fields=["segment", "customer"], name="membership_of_segment")]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.segment_id}"


class States(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class Recalculation(models.Model):
    """Bringing the members of a calculated segmentation in line with its conditions (R51): what is asked for,
    what goes on and what came of it. The counts grow with every batch that is committed.
    """

    segmentation = models.ForeignKey(
        Segmentation, models.CASCADE, related_name="recalculations", verbose_name=_("segmentation")
    )
    state = models.CharField(_("state"), choices=States, default=States.WAITING, db_default=States.WAITING)
    actor = models.CharField(_("who"), help_text=_("user:<user name> or system."))
    actor_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("user"),
    )
    requested_at = models.DateTimeField(_("asked for"), db_default=Now())
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    due = models.BigIntegerField(
        _("to change"), null=True, blank=True, help_text=_("Customers whose segment is not as it should be.")
    )
    processed = models.BigIntegerField(_("changed so far"), default=0, db_default=0)
    entered = models.BigIntegerField(_("entered"), default=0, db_default=0)
    left = models.BigIntegerField(_("left"), default=0, db_default=0)
    warnings = models.JSONField(
        _("warnings"),
        default=list,
        db_default=[],
        blank=True,
        help_text=_("Conditions that refer to something deleted."),
    )
    error = models.CharField(_("error"), blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("recalculation")
        verbose_name_plural = _("recalculations")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=States.values), name="recalculation_state"),
            # Asked for twice before it began, it is done once.
            models.UniqueConstraint(
                fields=["segmentation"], condition=Q(state="waiting"), name="recalculation_one_waiting"
            ),
        ]
        indexes = [
            models.Index(F("segmentation"), F("id").desc(), name="recalculation_latest"),
            models.Index(
                fields=["state"],
                name="recalculation_unfinished",
                condition=Q(state__in=("waiting", "running")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.segmentation} {self.pk}"
