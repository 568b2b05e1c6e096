"""The inbox of events with the tables around it, and the sites whose pages may send events.

Events have no foreign keys: every event would lock the row of its integration point or customer.
"""

import secrets

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import IntegrationPoint
from customers.normalise import Invalid
from dedup.origins import origin_of

SITE_KEY_MARK = "ssp"


def new_site_key() -> str:
    return f"{SITE_KEY_MARK}_{secrets.token_hex(12)}"


class Site(models.Model):
    """The web pages of an integration point. Their origins may send activity with the site's public key, and
    personal links may lead to them (R49).
    """

    point = models.OneToOneField(
        IntegrationPoint, models.PROTECT, related_name="site", verbose_name=_("integration point")
    )
    key = models.CharField(
        _("site key"),
        unique=True,
        default=new_site_key,
        help_text=_("Public: it is part of your pages, and can only be used to send activity."),
    )
    origins = ArrayField(
        models.CharField(),
        verbose_name=_("origins"),
        help_text=_("The addresses of your pages, such as https://shop.example, separated by commas."),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True, db_default=True)
    identifies_by_ids = models.BooleanField(
        _("pages may send IDs"),
        default=False,
        db_default=False,
        help_text=_(
            "Anybody who guesses an ID can then link their browser to that customer. Switch this on only if "
            "your IDs cannot be guessed."
        ),
    )
    finds_customers = models.BooleanField(
        _("pages may find customers"),
        default=False,
        db_default=False,
        help_text=_(
            "A browser that sends a contact of a stored customer is linked to that customer, so anybody who "
            "knows the address can add to the profile. If off, pages only identify visitors who are new."
        ),
    )

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        ordering = ["point"]

    def __str__(self) -> str:
        return str(self.point)

    def clean(self) -> None:
        try:
            self.origins = [origin_of(text) for text in self.origins or []]
        except Invalid as error:
            raise ValidationError({"origins": error.message(gettext)}) from error


class EventColumns(models.Model):
    """One event, checked and normalised.

    It names a device (`device_kind`, `device`), a customer (`maestra_id`), or both, which means that the
    customer signed in on the device (R21). `record` is what a page said about its visitor; such an event is
    no activity.
    """

    id = models.BigIntegerField(primary_key=True)
    uuid = models.UUIDField(_("UUID"))
    point_id = models.BigIntegerField(_("integration point"))
    kind = models.CharField(_("kind"))
    occurred_at = models.DateTimeField(_("occurred"))
    device_kind = models.SmallIntegerField(_("device kind"), null=True, blank=True)
    device = models.CharField(_("device"), blank=True, default="", db_default="")
    maestra_id = models.BigIntegerField(_("MaestraID"), null=True, blank=True)
    url = models.CharField(_("URL"), blank=True, default="", db_default="")
    title = models.CharField(_("title"), blank=True, default="", db_default="")
    properties = models.JSONField(_("properties"), default=dict, db_default={}, blank=True)
    record = models.JSONField(_("record"), null=True, blank=True)
    named = models.JSONField(
        _("values in the record"),
        default=list,
        db_default=[],
        help_text=_("Normalised, so that an erasure finds them."),
    )
    received_at = models.DateTimeField(_("received"), db_default=Now())
    lane = models.SmallIntegerField(_("lane"))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"


class Event(EventColumns):
    """An accepted event that waits to be resolved. All events of a device are in one lane, which one worker
    at a time resolves.
    """

    id = models.BigAutoField(primary_key=True)

    class Meta:
        verbose_name = _("waiting event")
        verbose_name_plural = _("waiting events")
        indexes = [models.Index(fields=["lane", "id"], name="event_lane")]
        constraints = [
            models.CheckConstraint(
                condition=Q(device_kind__isnull=False) | Q(maestra_id__isnull=False),
                name="event_is_somebodys",
            )
        ]


class FailedEvent(EventColumns):
    """An accepted event that could not be resolved, with the reason."""

    code = models.CharField(_("code"))
    reason = models.TextField(_("reason"))
    failed_at = models.DateTimeField(_("failed"), db_default=Now())

    class Meta:
        verbose_name = _("failed event")
        verbose_name_plural = _("failed events")
        indexes = [models.Index(fields=["maestra_id"], name="failedevent_maestra_id")]


class SeenEvent(models.Model):
    """The UUID of a resolved event: sent again, the event is not resolved again."""

    uuid = models.UUIDField(_("UUID"), primary_key=True)
    seen_on = models.DateField(_("seen"))

    class Meta:
        verbose_name = _("resolved event")
        verbose_name_plural = _("resolved events")
        indexes = [BrinIndex(fields=["seen_on"], name="seenevent_seen_on")]

    def __str__(self) -> str:
        return str(self.uuid)


class ForgottenMonth(models.Model):
    """A month of activity from which the actions of anonymous visitors were dropped."""

    month = models.DateField(_("month"), primary_key=True)
    dropped = models.BigIntegerField(_("activities dropped"))
    kept = models.BigIntegerField(_("activities kept"))
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name = _("forgotten month")
        verbose_name_plural = _("forgotten months")
        ordering = ["-month"]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
