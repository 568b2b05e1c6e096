"""Masked contacts, for readers who may not see them: enough to recognise a contact, too little to use it.

Whether a value is masked depends on its kind alone, wherever it stands: on a profile, in an entry of the
history, among the values that led to a merge. Payment card hashes are masked for everybody (R10).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from customers.contact_types import BY_NAME
from customers.profile import EMAIL, MOBILE_PHONE, Key

ADDRESSES = re.compile(r"[\w.+-]+(?:%2B[\w.+-]+)*(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
PHONES = re.compile(r"(?:\+|%2B|\b00)\d[\d ()./-]{6,}\d", re.IGNORECASE)


def masked_hash(value: str) -> str:
    """The beginning of the hash of a payment card."""
    return f"{value[:4]}…"


@dataclass(frozen=True, slots=True)
class MaskingPolicy:
    """Which contacts a reader sees: all of them where masking is `lifted`, otherwise only the `revealed`
    ones.
    """

    lifted: bool
    revealed: frozenset[Key] = frozenset()

    def masks(self, kind: str, value: str) -> bool:
        return not self.lifted and kind in BY_NAME and Key(kind, value) not in self.revealed

    def value(self, kind: str, value: str) -> str:
        return BY_NAME[kind].mask(value) if self.masks(kind, value) else value

    def text(self, text: str) -> str:
        """A text with the e-mail addresses and phones in it masked, also as they stand in an address."""
        if self.lifted:
            return text
        text = ADDRESSES.sub(lambda found: BY_NAME[EMAIL].mask(unquote(found[0])), text)
        return PHONES.sub(lambda found: BY_NAME[MOBILE_PHONE].mask(unquote(found[0])), text)

    def anything(self, data: Any) -> Any:
        """JSON of unknown meaning, with every text in it as `text` has it."""
        match data:
            case str():
                return self.text(data)
            case Mapping():
                return {self.text(name): self.anything(part) for name, part in data.items()}
            case list():
                return [self.anything(part) for part in data]
            case _:
                return data

    def facts(self, facts: Any) -> Any:
        """The facts of a history entry with every `{"type": …, "value": …}` in them masked where it has to
        be.
        """
        if self.lifted:
            return facts
        match facts:
            case Mapping():
                inner = {name: self.facts(part) for name, part in facts.items()}
                if isinstance(facts.get("type"), str) and isinstance(facts.get("value"), str):
                    inner["value"] = self.value(facts["type"], facts["value"])
                return inner
            case list():
                return [self.facts(part) for part in facts]
            case _:
                return facts


UNMASKED = MaskingPolicy(lifted=True)
