import pytest
from django.test import Client


@pytest.mark.django_db
def test_readyz_says_that_database_and_redis_answer(client: Client):
    answer = client.get("/readyz/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": "ok", "redis": "ok"})


def test_healthz_answers_probes_that_come_by_ip_address(client: Client):
    answer = client.get("/healthz/", headers={"host": "10.1.2.3"})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
