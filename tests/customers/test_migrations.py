"""What migrations make of data that are there already."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection

from customers.models import Customer, Subscription


@pytest.mark.django_db
def test_topics_of_several_spellings_become_one():
    """R11: the later date stays, of one date the refusal."""
    at = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 5)]
    ann, bob = (
        Customer.objects.create(id=number, profile_id=number, registered_at=at[0]) for number in (1, 2)
    )
    rows = [
        (ann, "email", "News", "subscribed", at[1]),
        (ann, "email", "news ", "unsubscribed", at[2]),
        (ann, "email", "news", "subscribed", at[0]),
        (ann, "sms", "News", "subscribed", at[0]),
        (bob, "email", "NEWS", "subscribed", at[3]),
        (bob, "email", "news", "unsubscribed", at[3]),
        (bob, "email", "", "subscribed", at[0]),
    ]
    Subscription.objects.bulk_create([
        Subscription(customer=customer, channel=channel, topic=topic, status=status, since=since)
        for customer, channel, topic, status, since in rows
    ])  # fmt: skip
    import_module("customers.migrations.0014_topics").unite(None, SimpleNamespace(connection=connection))
    found = Subscription.objects.values_list("customer", "channel", "topic", "status", "since")
    assert sorted(found) == [
        (1, "email", "news", "unsubscribed", at[2]),
        (1, "sms", "news", "subscribed", at[0]),
        (2, "email", "", "subscribed", at[0]),
        (2, "email", "news", "unsubscribed", at[3]),
    ]
