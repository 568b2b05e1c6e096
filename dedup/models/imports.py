"""An import: what was sent, the rows it was cut into, and what became of each.

The file reaches the database in blocks, so that any worker on any host can stage it. Staged, its rows lie in
pieces of chunks; a chunk is what is decided and stored at once, and says so in its own row: there is no
shared row that workers would wait for.
"""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import IntegrationPoint


class ImportKind(StrEnum):
    CUSTOMERS = "customers"
    ORDERS = "orders"
    SEGMENT = "segment"
    MERGES = "merges"


class ImportKinds(models.TextChoices):
    """What the rows of a file are."""

    CUSTOMERS = ImportKind.CUSTOMERS.value, _("Customers")
    ORDERS = ImportKind.ORDERS.value, _("Orders")
    SEGMENT = ImportKind.SEGMENT.value, _("Members of a segment")
    MERGES = ImportKind.MERGES.value, _("Merges")


class ImportStates(models.TextChoices):
    """How far an import is. One that was paused while it was read is read anew."""

    UPLOADED = "uploaded", _("Uploaded")
    STAGING = "staging", _("Being read")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    FINISHED = "finished", _("Finished")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Failed")


class Outcomes(models.TextChoices):
    """What became of a row, or in a dry run would."""

    CREATED = "created", _("Created")
    JOINED = "joined", _("Joined")
    CHANGED = "changed", _("Changed")
    UNCHANGED = "unchanged", _("Unchanged")
    FAILED = "failed", _("Failed")


class Import(models.Model):
    """One file on its way in.

    Times its rows do not have are counted back from `created_at`, in the order of the file. `forgotten` are
    the keys of persons erased before the rows were staged (R54). `result` are the sums of the chunks, kept
    from the end on; until then they are added up.
    """

    point = models.ForeignKey(
        IntegrationPoint, models.PROTECT, related_name="imports", verbose_name=_("integration point")
    )
    actor = models.CharField(_("who"))
    actor_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    name = models.CharField(_("file name"))
    size = models.BigIntegerField(_("bytes"), default=0, db_default=0)
    kind = models.CharField(_("kind"), choices=ImportKinds)
    format = models.JSONField(_("file format"), default=dict, db_default={})
    header = ArrayField(models.TextField(), verbose_name=_("columns"))
    targets = ArrayField(
        models.TextField(null=True), verbose_name=_("mapping"), help_text=_("The target of each column.")
    )
    options = models.JSONField(_("options"), default=dict, db_default={})
    warnings = ArrayField(models.TextField(), verbose_name=_("warnings"), default=list, db_default=[])
    is_dry_run = models.BooleanField(_("dry run"), default=False, db_default=False)
    dry_run = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="runs",
        verbose_name=_("started from dry run"),
    )
    state = models.CharField(_("state"), choices=ImportStates, default=ImportStates.UPLOADED)
    problem = models.JSONField(_("why it failed"), null=True, blank=True)
    rows_staged = models.IntegerField(_("rows read"), default=0, db_default=0)
    last_line = models.IntegerField(_("last line"), default=0, db_default=0)
    created_at = models.DateTimeField(_("uploaded"), db_default=Now())
    running_since = models.DateTimeField(_("running since"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    rows_dropped_at = models.DateTimeField(_("rows dropped"), null=True, blank=True)
    result = models.JSONField(_("result"), default=dict, db_default={})
    forgotten = ArrayField(
        models.BigIntegerField(), verbose_name=_("keys to forget"), default=list, db_default=[]
    )

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ImportKinds.values), name="import_kind"),
            models.CheckConstraint(condition=Q(state__in=ImportStates.values), name="import_state"),
        ]
        indexes = [
            models.Index(F("created_at").desc(), name="import_created_at"),
            models.Index(
                fields=["id"],
                name="import_at_work",
                condition=Q(state__in=[ImportStates.STAGING, ImportStates.RUNNING]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    @property
    def is_staged(self) -> bool:
        return self.running_since is not None


class ImportBlock(models.Model):
    """A part of the uploaded file, until its rows are staged."""

    source = models.ForeignKey(
        Import, models.CASCADE, db_index=False, related_name="blocks", verbose_name=_("import")
    )
    number = models.IntegerField(_("number"))
    data = models.BinaryField(_("bytes"))

    class Meta:
        verbose_name = _("block of a file")
        verbose_name_plural = _("blocks of files")
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="importblock_once")]

    def __str__(self) -> str:
        return f"{self.source_id}/{self.number}"


class ImportChunk(models.Model):
    """Rows that are decided and stored in one transaction, and what became of them.

    Rows that could bear on each other are in one chunk, or in chunks of which each comes `after` another. The
    lists have a place for each row, in the order of the file; they are empty until `worked_at`.
    """

    source = models.ForeignKey(
        Import, models.CASCADE, db_index=False, related_name="chunks", verbose_name=_("import")
    )
    number = models.IntegerField(_("number"))
    after = models.IntegerField(_("after"), null=True, blank=True)
    size = models.IntegerField(_("rows"))
    worked_at = models.DateTimeField(_("worked"), null=True, blank=True)
    outcomes = ArrayField(models.TextField(), verbose_name=_("outcomes"), default=list, db_default=[])
    codes = ArrayField(models.TextField(), verbose_name=_("error codes"), default=list, db_default=[])
    reasons = ArrayField(models.TextField(), verbose_name=_("reasons"), default=list, db_default=[])
    maestra_ids = ArrayField(
        models.BigIntegerField(null=True), verbose_name=_("MaestraIDs"), default=list, db_default=[]
    )
    counts = models.JSONField(_("counts"), default=dict, db_default={})
    examples = models.JSONField(_("examples"), default=dict, db_default={})

    class Meta:
        verbose_name = _("chunk of an import")
        verbose_name_plural = _("chunks of imports")
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="importchunk_once"),
            models.CheckConstraint(condition=Q(after__lt=F("number")), name="importchunk_after"),
        ]
        indexes = [
            models.Index(
                fields=["source", "number"], name="importchunk_waiting", condition=Q(worked_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.source_id}/{self.number}"


class ImportPiece(models.Model):
    """Rows of a chunk, from its row `first` on.

    `cells` has a line for each row: a JSON list, or `null` once the person was erased. `faults` are the
    reasons of rows that could not be read, by their place. `keys` are hashes of what the rows name and of the
    customers who held it, `key_counts` how many of them each row has.
    """

    source = models.ForeignKey(
        Import, models.CASCADE, db_index=False, related_name="pieces", verbose_name=_("import")
    )
    chunk = models.IntegerField(_("chunk"))
    first = models.IntegerField(_("first row"))
    lines = ArrayField(models.IntegerField(), verbose_name=_("lines"))
    cells = models.TextField(_("cells"))
    faults = models.JSONField(_("faults"), default=dict, db_default={})
    keys = ArrayField(models.BigIntegerField(), verbose_name=_("keys"))
    key_counts = ArrayField(models.IntegerField(), verbose_name=_("keys of each row"))

    class Meta:
        verbose_name = _("rows of an import")
        verbose_name_plural = _("rows of imports")
        constraints = [models.UniqueConstraint(fields=["source", "chunk", "first"], name="importpiece_once")]

    def __str__(self) -> str:
        return f"{self.source_id}/{self.chunk}/{self.first}"


class ImportMapping(models.Model):
    """A mapping somebody saved: the target of each column by its name."""

    name = models.CharField(_("name"))
    kind = models.CharField(_("kind"), choices=ImportKinds)
    columns = models.JSONField(_("columns"))
    options = models.JSONField(_("options"), default=dict, db_default={})
    changed_at = models.DateTimeField(_("changed"), db_default=Now())

    class Meta:
        verbose_name = _("saved mapping")
        verbose_name_plural = _("saved mappings")
        constraints = [
            models.UniqueConstraint(fields=["kind", "name"], name="importmapping_once"),
            models.CheckConstraint(condition=Q(kind__in=ImportKinds.values), name="importmapping_kind"),
        ]

    def __str__(self) -> str:
        return self.name
