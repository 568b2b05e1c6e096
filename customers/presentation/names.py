"""A customer's name as people are shown it: in Python, and as an expression for lists."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from django.db.models import Func, TextField, Value

NAME_PARTS = ("first_name", "middle_name", "last_name")
FULL_NAME = Func(Value(" "), *NAME_PARTS, function="CONCAT_WS", output_field=TextField())
"""Of a row of customers."""
_parts = attrgetter(*NAME_PARTS)


def full_name(of: Any) -> str:
    """Of a `Customer`, or of personal data; empty where no part is known."""
    return " ".join(filter(None, _parts(of)))
