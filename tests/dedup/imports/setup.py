"""A project as the tests of mapping and rows have it. No database."""

from __future__ import annotations

from datetime import UTC, datetime

from customers.block_list import BlockList, BlockListEntry
from customers.custom_values import CustomType
from customers.profile import Category, Kind
from customers.setup.integration_points import Point
from customers.setup.project_config import FieldDefinition, ProjectConfig
from segments.references import NamedSegmentation

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
KINDS = (
    Kind(1, "email", Category.EMAIL),
    Kind(2, "mobile_phone", Category.MOBILE_PHONE),
    Kind(3, "discount_card", Category.DISCOUNT_CARD),
    Kind(4, "device_id", Category.DEVICE),
    Kind(5, "mobile_device_id", Category.MOBILE_DEVICE),
    Kind(100, "crm_id", Category.UNIQUE),
    Kind(101, "session_key", Category.IDENTIFIER),
    Kind(102, "ssn", Category.UNIQUE),
)
FIELDS = [FieldDefinition(f"a_{of.value}", of, larger=False) for of in CustomType]
CATALOGUE = ProjectConfig(
    version=1,
    kinds={kind.name: kind for kind in KINDS},
    kinds_by_id={kind.id: kind for kind in KINDS},
    labels={"crm_id": "Customer number", "a_integer": "Shoe size"},
    custom_fields={definition.name: definition for definition in FIELDS},
    larger_fields=frozenset(),
    block_list=BlockList(
        [BlockListEntry("email", value="junk@example.com"), BlockListEntry("*", value="null")],
        lambda _kind, value: value,
    ),
    default_region="US",
    shared_device_limit=5,
    suppression=True,
)
POINT = Point(id=9, system_name="files", kind="file_import")
CONFIRMING = Point(id=10, system_name="crm", kind="crm", must_be_confirmed=frozenset({"email"}))
SEGMENTATIONS = {
    "loyalty": NamedSegmentation(7, is_static=True, segments={"silver": 70, "top_gold": 71}),
    "activity": NamedSegmentation(8, is_static=False, segments={"often": 80}),
}
