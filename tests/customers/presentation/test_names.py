"""One name of a customer, in Python and in lists."""

from __future__ import annotations

import pytest
from django.utils import timezone

from customers.models import Customer
from customers.presentation.names import FULL_NAME, full_name

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({}, ""),
        ({"last_name": "Peterson"}, "Peterson"),
        ({"first_name": "Ann", "last_name": "Peterson"}, "Ann Peterson"),
        ({"first_name": "Ann", "middle_name": "Lee", "last_name": "Peterson"}, "Ann Lee Peterson"),
    ],
)
def test_the_name_is_the_same_in_python_and_in_lists(parts: dict[str, str], name: str) -> None:
    customer = Customer.objects.create(profile_id=1, pk=1, registered_at=timezone.now(), **parts)
    assert full_name(customer) == name
    assert Customer.objects.values_list(FULL_NAME, flat=True).get() == name
