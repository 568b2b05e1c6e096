"""How failed sign-ins of staff lock the next ones.

By name and address, so that nobody is locked out by others elsewhere who know their name; and by address
alone, whatever the names. The lock ends by itself, and failing in the meantime does not prolong it.
"""

from __future__ import annotations

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.db.models import Sum
from django.http import HttpRequest

NAMES = 3
"""So many times as much as of one name may fail from one address, which many people may share."""


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # it is Any
    """Counts failures by the settings' two parameters."""

    def get_failures(self, request: HttpRequest, credentials: Any = None) -> int:
        """Failures of a name; of those of an address a third counts (`NAMES`)."""
        of_name, of_address = (
            attempts.aggregate(failures=Sum("failures_since_start"))["failures"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        return max(of_name, of_address // NAMES)

    def reset_user_attempts(self, request: HttpRequest, credentials: Any = None) -> int:
        """Who signs in clears their own failures: others' from the same address may be those of a guesser."""
        own, _of_address = self.filter_user_attempts(request, credentials)
        return int(own.delete()[0])
