"""The list of customers, which responds quickly whatever the filters are.

A filter that few or none of a million customers match makes the database scan all of them. The list gives
that up after a moment and shows the matches among the newest customers; from there the reader can go on to
older ones.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from customers.admin.filters import BelowFilter
from customers.models import Customer
from customers.storage.transactions import limited

SECONDS = 0.5
"""The longest that a statement of the list may take."""
WINDOW = 50_000
"""How many customers are scanned at once after that."""


class CustomerList(ChangeList):  # type: ignore[misc]  # untyped
    """Where only the newest customers were searched, `looked_down_to` is the lowest MaestraID among them.
    Where even that took too long, `gave_up` says so, and the list is empty.
    """

    result_list: Any
    looked_down_to: int | None = None
    gave_up = False

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        with suppress(TimeoutError):
            self.result_list = rows_within_limit(self.result_list)
            return
        self._look_at_the_newest()

    def _look_at_the_newest(self) -> None:
        lowest = self._lowest_of_window()
        first = (self.page_num - 1) * self.list_per_page
        rows = self.queryset.filter(pk__gte=lowest)[first : first + self.list_per_page]
        try:
            self.result_list, self.looked_down_to = rows_within_limit(rows), lowest
        except TimeoutError:
            self.result_list, self.gave_up = [], True

    def _lowest_of_window(self) -> int:
        below = BelowFilter.number(self.params.get(BelowFilter.parameter_name))
        customers = Customer.objects.filter(pk__lt=below) if below else Customer.objects.all()
        lowest = customers.order_by("-pk").values_list("pk", flat=True)[WINDOW - 1 : WINDOW]
        return lowest[0] if lowest else 0

    @property
    def older(self) -> str:
        """The address of the list of those that were not searched."""
        return str(self.get_query_string({BelowFilter.parameter_name: self.looked_down_to}, [PAGE_VAR]))


def rows_within_limit(rows: QuerySet[Customer]) -> list[Customer]:
    """Raises `TimeoutError` after `SECONDS`."""
    with limited(SECONDS):
        return list(rows)
