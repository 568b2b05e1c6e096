"""How a project is set up: identifier kinds, custom fields, integration points with their keys, block list,
settings.

Processes keep the set-up in memory (`customers.setup.project_config`, `customers.setup.integration_points`).
With every write to it, triggers of the database give `ProjectSettings.version` a number never used before, by
which every process notices. The system's own identifier kinds and the settings row are part of the schema: a
trigger puts them back even after a TRUNCATE. System names never change, because stored data contains them.
"""

from typing import TYPE_CHECKING, Any, cast

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.db.models.lookups import Exact
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.block_list import EVERY_KIND, BlockListEntry
from customers.contact_types import CONTACT_TYPES
from customers.normalise import Invalid, region
from customers.profile import Category

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

SYSTEM_NAME = RegexValidator(
    r"^[a-z][a-z0-9_]{0,62}$",
    _("Use lower-case letters, digits and underscores, starting with a letter; at most 63 characters."),
)
SYSTEM_NAME_HELP = _("The name in the API and the set-up file. It cannot be changed later.")
# In records of the API these names mean something else.
RESERVED_NAMES = ("maestra_id", "payment_card_hash")
FIRST_PROJECT_KIND = 100


def system_name_is_well_formed(name: str) -> models.CheckConstraint:
    condition = Q(system_name__regex=r"^[a-z][a-z0-9_]{0,62}$")
    return models.CheckConstraint(condition=condition, name=name)


CONTACT_LABELS = [(type_.name, _(type_.label)) for type_ in CONTACT_TYPES]
CATEGORY_LABELS = [
    *CONTACT_LABELS,
    (Category.UNIQUE.value, _("Unique identifier")),
    (Category.IDENTIFIER.value, _("Identifier")),
    (Category.DEVICE.value, _("Device")),
    (Category.MOBILE_DEVICE.value, _("Mobile device")),
]
PROJECT_CATEGORIES = [Category.UNIQUE.value, Category.IDENTIFIER.value]
SYSTEM_CATEGORIES = [category.value for category in Category if category.value not in PROJECT_CATEGORIES]


class IdentifierKind(models.Model):
    """A kind of identifier (R2–R9). The system's own have an ID below 100, those a project defines from 100
    on.
    """

    id = models.SmallAutoField(primary_key=True)
    system_name = models.CharField(
        _("system name"), unique=True, validators=[SYSTEM_NAME], help_text=SYSTEM_NAME_HELP
    )
    name = models.CharField(_("name"))
    category = models.CharField(
        _("category"),
        choices=CATEGORY_LABELS,
        help_text=_(
            "A customer has one current value of a unique identifier, and its former values still find them. "
            "Of other identifiers a customer may have several; a value moves to whoever gives it last."
        ),
    )
    do_not_merge_different = models.BooleanField(
        _("never merge customers with different IDs"),
        default=False,
        db_default=False,
        help_text=_("Customers whose current values differ are never merged, and former values find nobody."),
    )
    is_unique = models.GeneratedField(
        expression=Exact(F("category"), models.Value(Category.UNIQUE.value)),
        output_field=models.BooleanField(),
        db_persist=True,
        verbose_name=_("is unique"),
    )

    class Meta:
        verbose_name = _("identifier kind")
        verbose_name_plural = _("identifier kinds")
        ordering = ["id"]
        constraints = [
            system_name_is_well_formed("identifierkind_system_name"),
            models.CheckConstraint(
                condition=~Q(system_name__in=RESERVED_NAMES), name="identifierkind_name_not_reserved"
            ),
            models.CheckConstraint(
                condition=Q(id__lt=FIRST_PROJECT_KIND, category__in=SYSTEM_CATEGORIES)
                | Q(id__gte=FIRST_PROJECT_KIND, category__in=PROJECT_CATEGORIES),
                name="identifierkind_category",
            ),
            models.CheckConstraint(
                condition=Q(do_not_merge_different=False) | Q(category=Category.UNIQUE.value),
                name="identifierkind_only_unique_ones_forbid_merges",
            ),
            # The target of a foreign key of identifiers, so that their copy of `is_unique` cannot be wrong.
            models.UniqueConstraint(fields=["id", "is_unique"], name="identifierkind_id_is_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class FieldTypes(models.TextChoices):
    STRING = "string", _("Text")
    INTEGER = "integer", _("Whole number")
    DECIMAL = "decimal", _("Decimal number")
    BOOLEAN = "boolean", _("Yes or no")
    DATE = "date", _("Date")
    DATETIME = "datetime", _("Date and time")
    LIST = "list", _("List of texts")


class MergePolicies(models.TextChoices):
    PRIORITY = "priority", _("Keep the value of the customer with priority")
    LARGER = "larger", _("Keep the larger number")


class CustomField(models.Model):
    """A field the project adds to its customers (R35)."""

    system_name = models.CharField(
        _("system name"), unique=True, validators=[SYSTEM_NAME], help_text=SYSTEM_NAME_HELP
    )
    name = models.CharField(_("name"))
    type = models.CharField(
        _("type"), choices=FieldTypes, default=FieldTypes.STRING, db_default=FieldTypes.STRING
    )
    merge = models.CharField(
        _("when customers merge"),
        choices=MergePolicies,
        default=MergePolicies.PRIORITY,
        db_default=MergePolicies.PRIORITY,
        help_text=_("The larger one can be kept of numbers only."),
    )

    class Meta:
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")
        ordering = ["system_name"]
        constraints = [
            system_name_is_well_formed("customfield_system_name"),
            models.CheckConstraint(condition=Q(type__in=FieldTypes.values), name="customfield_type"),
            models.CheckConstraint(
                condition=Q(merge=MergePolicies.PRIORITY)
                | Q(merge=MergePolicies.LARGER, type__in=(FieldTypes.INTEGER, FieldTypes.DECIMAL)),
                name="customfield_only_numbers_keep_the_larger",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PointKinds(models.TextChoices):
    WEBSITE = "website", _("Website")
    APP = "app", _("App")
    POINT_OF_SALE = "point_of_sale", _("Point of sale")
    CALL_CENTRE = "call_centre", _("Call centre")
    CRM = "crm", _("CRM")
    FILE_IMPORT = "file_import", _("File import")
    ADMIN = "admin", _("Admin")

    @property
    def has_personal_actions(self) -> bool:
        """Whether customers usually act themselves where records of this kind come from (R13)."""
        return self not in PASSIVE_KINDS


PASSIVE_KINDS = frozenset({PointKinds.CRM, PointKinds.FILE_IMPORT, PointKinds.ADMIN})


class Scopes(models.TextChoices):
    """What a key may do."""

    WRITE = "write", _("Write customers, orders and points")
    READ = "read", _("Read customers, explain and preview")
    MERGE = "merge", _("Merge and undo")
    IMPORT = "import", _("Import files")
    PRIVACY = "privacy", _("Export, opt out and erase")
    TRACK = "track", _("Send activity")


def scope_list(verbose_name: "_StrOrPromise") -> "ArrayField[list[str], list[str]]":
    return ArrayField(models.CharField(choices=Scopes), verbose_name=verbose_name, default=list, blank=True)


def contact_types(
    verbose_name: "_StrOrPromise", help_text: "_StrOrPromise"
) -> "ArrayField[list[str], list[str]]":
    """The contact types that a setting of an integration point applies to."""
    return ArrayField(
        models.CharField(choices=CONTACT_LABELS),
        verbose_name=verbose_name,
        default=list,
        db_default=[],
        blank=True,
        help_text=help_text,
    )


class IntegrationPoint(models.Model):
    """A source of data (R13). Its settings apply to contacts that arrive after they were made (R14)."""

    system_name = models.CharField(
        _("system name"), unique=True, validators=[SYSTEM_NAME], help_text=SYSTEM_NAME_HELP
    )
    name = models.CharField(_("name"))
    kind = models.CharField(_("kind"), choices=PointKinds)
    is_enabled = models.BooleanField(
        _("enabled"),
        default=True,
        db_default=True,
        help_text=_("Requests with keys of a disabled integration point are refused."),
    )
    personal_actions = models.BooleanField(
        _("counts as customer activity"),
        default=None,
        help_text=_(
            "On where customers act themselves, as on a website; off for imports and back-office tools."
        ),
    )
    lookup_by = ArrayField(
        models.CharField(),
        verbose_name=_("find customers by"),
        default=list,
        blank=True,
        help_text=_(
            "System names of the identifier kinds by which records find customers, in this order. "
            "Empty: MaestraID, unique identifiers, then other identifiers."
        ),
    )
    must_be_confirmed = contact_types(
        _("contacts that must be confirmed"), _("They wait until the customer has confirmed them.")
    )
    gives_access = contact_types(
        _("contacts that give account access"),
        _("Customers sign in with them, and no merge takes them away."),
    )
    default_scopes = scope_list(_("scopes of new keys"))

    class Meta:
        verbose_name = _("integration point")
        verbose_name_plural = _("integration points")
        ordering = ["name"]
        constraints = [
            system_name_is_well_formed("integrationpoint_system_name"),
            models.CheckConstraint(condition=Q(kind__in=PointKinds.values), name="integrationpoint_kind"),
            models.CheckConstraint(
                condition=~Q(lookup_by__contains=["payment_card_hash"]), name="integrationpoint_lookup_by"
            ),
            models.CheckConstraint(
                condition=Q(default_scopes__contained_by=Scopes.values),
                name="integrationpoint_default_scopes",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Where nobody said whether its records are personal actions, the kind does (R13)."""
        if cast("bool | None", self.personal_actions) is None:
            self.personal_actions = PointKinds(self.kind).has_personal_actions
        super().save(*args, **kwargs)


class ApiKey(models.Model):
    """A key of an integration point. Only its SHA-256 is stored: a long random key needs no slower hash."""

    point = models.ForeignKey(
        IntegrationPoint, models.PROTECT, related_name="keys", verbose_name=_("integration point")
    )
    name = models.CharField(_("name"), blank=True, default="", db_default="")
    prefix = models.CharField(
        _("begins with"), help_text=_("The first characters of the key, to tell it from others.")
    )
    digest = models.CharField(_("digest"), unique=True, editable=False)
    scopes = scope_list(_("scopes"))
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["point", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(scopes__contained_by=Scopes.values), name="apikey_scopes"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=False) | ~Q(scopes=[]), name="apikey_may_do_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"


class BlockedValue(models.Model):
    """A value, or a pattern of values, that identifies nobody (R12)."""

    type = models.CharField(
        _("identifier kind"),
        default=EVERY_KIND,
        db_default=EVERY_KIND,
        help_text=_("The system name of an identifier kind, * for every kind, or personal for names."),
    )
    value = models.CharField(
        _("value"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Upper and lower case are the same. Compared as entered and in its normalised form."),
    )
    pattern = models.CharField(
        _("pattern"),
        blank=True,
        default="",
        db_default="",
        help_text=_("A regular expression, in place of a value."),
    )

    class Meta:
        verbose_name = _("blocked value")
        verbose_name_plural = _("block list")
        ordering = ["type", "value", "pattern"]
        constraints = [
            models.CheckConstraint(
                condition=Q(value="") ^ Q(pattern=""),
                name="blockedvalue_value_or_pattern",
            ),
            models.UniqueConstraint(fields=["type", "value", "pattern"], name="blockedvalue_once"),
        ]

    def __str__(self) -> str:
        return f"{self.type}: {self.value or self.pattern}"

    def clean(self) -> None:
        try:
            BlockListEntry(self.type, self.value, self.pattern)
        except Invalid as reason:
            raise ValidationError(reason.message(gettext)) from reason


def is_region(value: str) -> None:
    """Whether phone numbers can be read as of this country (R5), written in capitals. Raises
    `ValidationError`.
    """
    try:
        is_written_so = region(value) == value
    except Invalid:
        is_written_so = False
    if not is_written_so:
        raise ValidationError(_("A country code of two capital letters, such as US."))


class ProjectSettings(models.Model):
    """The settings of the project: one row."""

    id = models.SmallIntegerField(primary_key=True, default=1, db_default=1, editable=False)
    default_region = models.CharField(
        _("default country"),
        default="US",
        db_default="US",
        validators=[is_region],
        help_text=_("The country of phone numbers without a country code."),
    )
    shared_device_limit = models.SmallIntegerField(
        _("shared device limit"),
        default=5,
        db_default=5,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text=_("A device used by more identified customers than this is no longer used for matching."),
    )
    suppression_list = models.BooleanField(
        _("suppression list"),
        default=True,
        db_default=True,
        help_text=_(
            "Keep keyed hashes of the values of erased customers, so that imports do not create them again."
        ),
    )
    version = models.BigIntegerField(_("version"), db_default=0, editable=False)

    class Meta:
        verbose_name = _("project settings")
        verbose_name_plural = _("project settings")
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="projectsettings_one_row"),
            models.CheckConstraint(
                condition=Q(default_region__regex="^[A-Z]{2}$"), name="projectsettings_region"
            ),
            models.CheckConstraint(
                condition=Q(shared_device_limit__range=(1, 1000)), name="projectsettings_shared_device_limit"
            ),
        ]

    def __str__(self) -> str:
        return str(_("Project settings"))
