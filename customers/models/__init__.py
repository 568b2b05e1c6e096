"""The tables of a customer's record. What the engine relies on is a constraint where it can be one."""

from customers.block_list import EVERY_KIND
from customers.models.history import Change, Operation
from customers.models.identifiers import Claim, DeviceUse, FormerIdentifier, Identifier, PaymentCard
from customers.models.ledger import Activity, Order, PointsMovement, PromoCode
from customers.models.people import (
    Channels,
    Customer,
    CustomerFacts,
    Genders,
    Note,
    Relation,
    Statuses,
    Subscription,
    SuppressedValue,
)
from customers.models.setup import (
    PASSIVE_KINDS,
    ApiKey,
    BlockedValue,
    CustomField,
    FieldTypes,
    IdentifierKind,
    IntegrationPoint,
    MergePolicies,
    PointKinds,
    ProjectSettings,
    Scopes,
)
from customers.models.staff import Reveal, RevealKinds, SavedFilter

__all__ = [
    "EVERY_KIND",
    "PASSIVE_KINDS",
    "Activity",
    "ApiKey",
    "BlockedValue",
    "Change",
    "Channels",
    "Claim",
    "CustomField",
    "Customer",
    "CustomerFacts",
    "DeviceUse",
    "FieldTypes",
    "FormerIdentifier",
    "Genders",
    "Identifier",
    "IdentifierKind",
    "IntegrationPoint",
    "MergePolicies",
    "Note",
    "Operation",
    "Order",
    "PaymentCard",
    "PointKinds",
    "PointsMovement",
    "ProjectSettings",
    "PromoCode",
    "Relation",
    "Reveal",
    "RevealKinds",
    "SavedFilter",
    "Scopes",
    "Statuses",
    "Subscription",
    "SuppressedValue",
]
