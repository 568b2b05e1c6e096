"""The admin of customers: pages to read everything that is stored, and to set the project up.

Recorded data can be read and not edited: only operations change it, and they leave a history.
"""

from customers.admin import (
    block_list,
    customer_admin,
    history,
    identifier_kinds,
    identifiers,
    integration_points,
    ledger,
    setup,
    staff,
)

__all__ = [
    "block_list",
    "customer_admin",
    "history",
    "identifier_kinds",
    "identifiers",
    "integration_points",
    "ledger",
    "setup",
    "staff",
]
