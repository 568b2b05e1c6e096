"""The admin of a customer's record: what an operator needs to look at everything and to set the project up.

What was recorded can be looked at and not edited: it changes through operations alone, which leave their
history.
"""

from customers.admin import customer_admin, history, identifiers, ledger, setup, staff

__all__ = ["customer_admin", "history", "identifiers", "ledger", "setup", "staff"]
