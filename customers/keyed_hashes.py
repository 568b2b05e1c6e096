"""Keyed hashes of values that are compared and must not be kept in the open.

All keys come from one secret (`SELFSAME_HASH_KEY`), a key for each purpose, so that what is stored for one
says nothing of what is stored for another. Hashes that earlier releases stored were made with other keys;
where they are still looked for, the purpose says how long.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

KeyOf = Callable[[bytes], bytes]
"""The key of a purpose, from the secret."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """`key` is the key of what is stored now, `earlier_key` that of what was stored before."""

    key: KeyOf
    earlier_key: KeyOf | None = None

    def hash(self, text: str) -> str:
        """What is stored of a text: 64 hexadecimal digits."""
        return _hash(self.key, text)

    def hashes(self, text: str) -> tuple[str, ...]:
        """Everything that may be stored of it, the present hash first."""
        keys = (self.key, self.earlier_key) if self.earlier_key else (self.key,)
        return tuple(_hash(key, text) for key in keys)


def _hash(key: KeyOf, text: str) -> str:
    return hmac.new(_key(key, settings.HASH_KEY), text.encode(), hashlib.sha256).hexdigest()


@lru_cache
def _key(key: KeyOf, secret: bytes) -> bytes:
    return key(secret)


def derived(purpose: str) -> KeyOf:
    """A key for this purpose. No text that is hashed with the secret itself has a NUL, so none gives it."""
    return lambda secret: hmac.digest(secret, f"\0selfsame.{purpose}".encode(), "sha256")


def the_secret_itself(secret: bytes) -> bytes:
    return secret


PAYMENT_CARD = Purpose(the_secret_itself)
"""R10. Cards that were stored years apart are one where their hashes are, and what was sent is not kept: this
key can never become another.
"""
SUPPRESSION = Purpose(
    derived("suppression list"), lambda secret: hmac.digest(secret, b"suppression list", "sha256")
)
"""R54. Whom an earlier release erased is looked for, for ever, by the hash it left."""
CONFIRMATION = Purpose(derived("confirmation"), the_secret_itself)
"""R45. Links live three days; a release later the earlier key can go."""
IDEMPOTENCY = Purpose(derived("idempotency"), the_secret_itself)
"""Keys live 24 hours; a release later the earlier key can go."""


@lru_cache(maxsize=1)
def begun_import_hash(secret: bytes) -> Any:
    """A hash of eight bytes for what the rows of an import name, begun, to be copied: to begin it takes
    longer than all the rest. Staged rows are found by it, as long as they are kept.
    """
    key = hashlib.blake2b(secret, person=b"import keys").digest()
    return hashlib.blake2b(digest_size=8, key=key)
