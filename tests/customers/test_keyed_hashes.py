"""Hashes are keyed by purpose, and match what earlier releases stored."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from customers import keyed_hashes, normalise
from customers.keyed_hashes import CONFIRMATION, IDEMPOTENCY, PAYMENT_CARD, SUPPRESSION, Purpose
from customers.normalise import Invalid

SECRET = b"key of the project"
PURPOSES = [PAYMENT_CARD, SUPPRESSION, CONFIRMATION, IDEMPOTENCY]


@pytest.fixture(autouse=True)
def secret(settings: Any) -> None:
    settings.HASH_KEY = SECRET


def with_key(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def test_a_payment_card_is_hashed_as_it_always_was() -> None:
    """R10"""
    stored = "05f7575ed30d0d1b36c056b2acf9276f44b4f2e5eba763a6bceb63acbc92435b"
    assert PAYMENT_CARD.hashes("5f4dcc3b") == (stored,)


def test_another_secret_gives_other_hashes(settings: Any) -> None:
    before = [purpose.hash("x") for purpose in PURPOSES]
    settings.HASH_KEY = b"another"
    assert not {purpose.hash("x") for purpose in PURPOSES} & set(before)


def test_the_same_text_is_another_hash_for_each_purpose() -> None:
    assert len({purpose.hash("x") for purpose in PURPOSES}) == len(PURPOSES)


@pytest.mark.parametrize(
    ("purpose", "earlier_key"),
    [
        (SUPPRESSION, hmac.digest(SECRET, b"suppression list", "sha256")),
        (CONFIRMATION, SECRET),
        (IDEMPOTENCY, SECRET),
    ],
)
def test_what_an_earlier_release_stored_is_looked_for_too(purpose: Purpose, earlier_key: bytes) -> None:
    present, earlier = purpose.hashes("x")
    assert (present, earlier) == (purpose.hash("x"), with_key(earlier_key, "x"))
    assert present != earlier


def test_no_payment_card_gives_the_key_of_a_purpose() -> None:
    with pytest.raises(Invalid):
        normalise.identifier("\0selfsame.suppression list")


def test_the_rows_of_imports_are_hashed_as_they_always_were() -> None:
    key = hashlib.blake2b(SECRET, person=b"import keys").digest()
    begun = keyed_hashes.begun_import_hash(SECRET).copy()
    begun.update(b"x")
    assert begun.digest() == hashlib.blake2b(b"x", digest_size=8, key=key).digest()
