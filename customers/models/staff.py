"""What is stored of the work of staff: who revealed masked data, and their saved filters."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class RevealKinds(models.TextChoices):
    CONTACT = "contact", _("A contact was shown")
    EXPORT = "export", _("Everything about the customer was exported")
    LIST = "list", _("A list of customers was exported")


class Reveal(models.Model):
    """An entry of the audit log: somebody revealed masked data, or exported it. It contains nothing about the
    person, so an erasure leaves it.
    """

    at = models.DateTimeField(_("at"), auto_now_add=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("user"),
    )
    user_name = models.CharField(_("who"))
    kind = models.CharField(_("what"), choices=RevealKinds)
    identifier_kind = models.CharField(_("identifier kind"), blank=True, default="")
    maestra_id = models.BigIntegerField(
        _("MaestraID"), null=True, blank=True, help_text=_("Empty for a list of customers.")
    )

    class Meta:
        verbose_name = _("reveal")
        verbose_name_plural = _("reveals")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=RevealKinds.values), name="reveal_kind"),
            models.CheckConstraint(
                condition=Q(kind=RevealKinds.LIST) | Q(maestra_id__isnull=False), name="reveal_of_somebody"
            ),
        ]
        indexes = [
            models.Index(F("at").desc(), name="reveal_at"),
            models.Index(fields=["maestra_id"], name="reveal_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.user_name} {self.at}"


class SavedFilter(models.Model):
    """A filtered list of customers under a name, for one user. `query` is the query of its address."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_filters", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=100)
    query = models.CharField(_("filters"), max_length=2000)

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="savedfilter_name")]

    def __str__(self) -> str:
        return self.name
