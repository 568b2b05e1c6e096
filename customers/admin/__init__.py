"""The admin of a customer's record: what an operator needs to look at everything and to set the project up.

What was recorded can be looked at and not edited: it changes through operations alone, which leave their
history.
"""

from customers.admin import history, identifiers, ledger, people, setup, staff

__all__ = ["history", "identifiers", "ledger", "people", "setup", "staff"]
