"""The block list: values that identify nobody, which forms, trackers and exports send where nothing is known
(R12).

Pure: the list is compiled from the entries it is given. Before a pattern is used, the time that it can take
is bounded, so that no entry made in the admin can bring the service to a stop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from re import _constants, _parser  # type: ignore[attr-defined, unused-ignore]  # the only parser of patterns there is
from typing import Any

from customers.normalise import TEXT_LIMIT, VALUE_LIMIT, Invalid, trim
from customers.texts import gettext_noop as _

EVERY_KIND = "*"
NAMES = "personal"
"""The type of entries for last, first and middle names. Entries for every kind of identifier do not count for
them: there are people called Null, Guest and Blank.
"""
_AROUND = "\"'`()[]{}<> "
PATTERN_LIMIT = 200
"""The most characters of a pattern."""
ATTEMPTS_LIMIT = 20_000_000
"""The most ways in which a pattern may be tried on one value."""


@dataclass(frozen=True, slots=True)
class BlockListEntry:
    """One line of the block list: an exact value or a pattern, for one kind of identifier, for every kind, or
    for the names of people.

    Upper and lower case do not count, nor do quotation marks and brackets around an exact value. A pattern is
    a regular expression that is searched for anywhere in the value. Raises `Invalid` where it is not one, or
    could take too long.
    """

    type: str
    value: str = ""
    pattern: str = ""

    def __post_init__(self) -> None:
        if bool(self.value) == bool(self.pattern):
            raise Invalid(_("An entry has either a value or a pattern."))
        if self.pattern:
            check_pattern(self.pattern)


@dataclass(frozen=True, slots=True)
class _Matcher:
    exact: frozenset[str]
    find: Callable[[str], object]

    def matches(self, value: str) -> bool:
        text = trim(value)
        return _bare(text) in self.exact or self.find(text[:VALUE_LIMIT]) is not None


class BlockList:
    """The compiled list. It is made once, and every identifier of every record is looked up in it (R12).

    `normalise` makes the normalised form of a value of a kind, None where it has none. With it an entry
    "(415) 555-0122" blocks that phone number however it is written.
    """

    def __init__(
        self, entries: Iterable[BlockListEntry], normalise: Callable[[str, str], str | None]
    ) -> None:
        by_type: dict[str, list[BlockListEntry]] = {}
        for entry in entries:
            by_type.setdefault(entry.type, []).append(entry)
        self._names = _compiled(by_type.pop(NAMES, []), normalise)
        general = by_type.pop(EVERY_KIND, [])
        self._general = _compiled(general, normalise)
        self._by_kind: Mapping[str, _Matcher] = {
            kind: _compiled([*general, *own], normalise) for kind, own in by_type.items()
        }

    def blocks(self, kind: str, raw: object, normalised: str | None) -> bool:
        """Whether the value is on the list, as typed or `normalised` (None where it cannot be normalised)."""
        matches = self._by_kind.get(kind, self._general).matches
        if normalised is not None and matches(normalised):
            return True
        if raw == normalised:
            return False
        typed = _typed(raw)
        return typed is not None and matches(typed)

    def blocks_name(self, name: str) -> bool:
        """Whether a person's name is on the list."""
        return self._names.matches(name)


def check_pattern(pattern: str) -> None:
    """Raises `Invalid` unless the pattern can be compiled and its matching time has a low bound."""
    if len(pattern) > PATTERN_LIMIT:
        raise Invalid(_("The pattern is too long: at most %(limit)d characters."), limit=PATTERN_LIMIT)
    try:
        parsed = _parser.parse(pattern)
        re.compile(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError):
        raise Invalid(
            _("The pattern is not a valid regular expression. Try it on an example first.")
        ) from None
    if parsed.state.flags != re.UNICODE.value or parsed.state.groupdict:
        raise Invalid(_("The pattern may not set flags or name groups. Case does not count anyway."))
    starts = 1 if _is_anchored(parsed) else VALUE_LIMIT
    if starts * _ways(parsed) > ATTEMPTS_LIMIT:
        raise Invalid(
            _("The pattern is too complicated. Use fewer * and +, and begin it with ^ where you can.")
        )


_BEGINNINGS = ((_constants.AT, _constants.AT_BEGINNING), (_constants.AT, _constants.AT_BEGINNING_STRING))
_REPEATS = frozenset({_constants.MAX_REPEAT, _constants.MIN_REPEAT})
_SINGLE = frozenset(
    {_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY, _constants.AT}
)


def _is_anchored(parsed: Sequence[Any]) -> bool:
    return len(parsed) > 0 and parsed[0] in _BEGINNINGS


def _ways(parsed: Iterable[tuple[Any, Any]]) -> int:
    """An upper bound of the ways in which a parsed pattern can match, from one place in a value on.

    The ways of one part multiply those of the next: a repeat has one for each number of times, an alternative
    those of all its branches. Look-around and back references, which have no such bound, are refused.
    """
    total = 1
    for operator, argument in parsed:
        if operator in _REPEATS:
            low, high, body = argument
            most = min(int(high), VALUE_LIMIT)
            total *= max(most - int(low) + 1, 1) * min(_ways(body), ATTEMPTS_LIMIT) ** most
        elif operator is _constants.SUBPATTERN:
            total *= _ways(_without_flags(argument))
        elif operator is _constants.BRANCH:
            total *= sum(_ways(branch) for branch in argument[1])
        elif operator not in _SINGLE:
            raise Invalid(_("The pattern may not look ahead or behind, or refer back to a group."))
    return total


def _without_flags(subpattern: tuple[Any, int, int, Any]) -> Iterable[tuple[Any, Any]]:
    _group, added, removed, body = subpattern
    if added or removed:
        raise Invalid(_("The pattern may not set flags. Case does not count anyway."))
    return body  # type: ignore[no-any-return]


def _compiled(entries: Iterable[BlockListEntry], normalise: Callable[[str, str], str | None]) -> _Matcher:
    exact: set[str] = set()
    patterns: list[str] = []
    for entry in entries:
        if entry.pattern:
            patterns.append(entry.pattern)
            continue
        exact.add(_folded(entry.value))
        if entry.type != EVERY_KIND and (normalised := normalise(entry.type, entry.value)):
            exact.add(_folded(normalised))
    return _Matcher(frozenset(exact), _finder(patterns))


def _finder(patterns: list[str]) -> Callable[[str], object]:
    """What looks for any of the patterns. Where all begin with ^, one place is tried and not every one."""
    compiled = re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or "(?!)", re.IGNORECASE)
    anchored = all(_is_anchored(_parser.parse(pattern)) for pattern in patterns)
    return compiled.match if anchored else compiled.search


def _folded(value: str) -> str:
    return _bare(trim(value))


def _bare(text: str) -> str:
    return (text.strip(_AROUND) or text).casefold()


def _typed(raw: object) -> str | None:
    """The value as typed, where it is of a form that could be normalised at all."""
    if type(raw) is int and raw.bit_length() <= 4 * VALUE_LIMIT:
        return str(raw)
    return raw if isinstance(raw, str) and len(raw) <= TEXT_LIMIT else None


# --- The list as shipped

_PLACEHOLDERS = (
    "null", "none", "nil", "nan", "undefined", "void", "empty", "blank", "default", "string",
    "n/a", "#n/a", "n.a.", "not available", "not_available", "not applicable", "not set", "not_set",
    "not provided", "not_provided", "not_authenticated", "unauthenticated", "unknown", "unidentified",
    "anonymous", "anon", "guest", "nobody", "no_user", "true", "false", "yes", "no", "0", "-1",
    "object object", "function", "#ref!", "#value!", "\\n",
    "-", "--", "---", ".", "..", "...", "?", "??", "???", "_", "*",
)  # fmt: skip
_NOT_NAMES = (
    "n/a", "#n/a", "n.a.", "not available", "not applicable", "not provided", "not set", "undefined",
    "unknown", "nan", "\\n", "-", "--", "---", ".", "..", "...", "?", "??", "???", "_", "*",
)  # fmt: skip
_SPREADSHEET_ERRORS = (
    # Where a column was too narrow for a number, and #NAME?, #DIV/0!, also in other languages: #WERT!, #NOM?
    r"^#(?:#+|[^\s#]{1,30}[!?]|n/?[adv]|getting_data)$",
    r"^err:\d{3}$",
)
# The name of a field in place of its value, as from a template that was filled with its own keys.
_FIELD_NAMES = (
    "id", "uid", "uuid", "guid", "user", "userid", "user_id", "user-id", "username", "customer", "customerid",
    "customer_id", "customer-id", "clientid", "client_id", "client-id", "cid", "deviceid", "device_id",
    "device-id", "distinctid", "distinct_id", "anonymousid", "anonymous_id", "visitor_id", "session_id",
    "email", "e-mail", "mail", "phone", "mobile", "mobile_phone", "card", "discount_card",
)  # fmt: skip

_EMAILS = (
    "test@test.com", "test@test.test", "test@test.org", "test@test.net", "test@mail.com", "test@email.com",
    "test@gmail.com", "test1@test.com", "test123@test.com", "testing@test.com", "email@email.com",
    "mail@mail.com", "user@user.com", "admin@admin.com", "a@a.com", "a@b.com", "aa@aa.com", "aaa@aaa.com",
    "abc@abc.com", "asd@asd.com", "asdf@asdf.com", "qwe@qwe.com", "qwerty@qwerty.com", "x@x.com", "xx@xx.com",
    "xxx@xxx.com", "123@123.com", "no@no.com", "none@none.com", "null@null.com", "na@na.com", "fake@fake.com",
    "nomail@nomail.com", "noemail@noemail.com", "noemail@email.com", "no@email.com", "no@mail.com",
    "nomail@mail.com", "anonymous@anonymous.com", "guest@guest.com", "unknown@unknown.com",
)  # fmt: skip

_PHONES = ("1234567890", "0123456789", "123456789", "12345678", "1234567", "0987654321", "9876543210")
_CALLING_CODE = (
    r"\+(?:[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|2[1-69]\d|3[578]\d|42\d|5[09]\d|6[7-9]\d|8[0578]\d|9[679]\d)"
)
_PHONE_PATTERNS = (
    # One digit seven times or more, after the country code 1 or none.
    r"^\+?1?(?:" + "|".join(f"{digit}{{7,}}" for digit in range(10)) + ")$",
    r"^\+1?0?123456789\d?$",
    # After a country code, one digit only. Of zeros the normalised number keeps but some.
    rf"^{_CALLING_CODE} ?(?:[0 \-()]{{6,}}|" + "|".join(f"{digit}{{6,}}" for digit in range(1, 10)) + ")$",
)

_DEVICES = (
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "9774d56d682e549c",  # the ANDROID_ID that a whole generation of phones shares
    "02:00:00:00:00:00",  # what iOS and Android give for the address of the network card
    "012345678912345", "004999010640000",  # serial numbers of counterfeit phones
)  # fmt: skip

_EVERYWHERE = (
    # Nothing but zeros, with what groups them: 0, 000000, a GUID of zeros with or without braces.
    r"^[{(]?0[0-]*[)}]?$",
    # Nothing but quotation marks and brackets.
    r"^[\"'`()\[\]{}<> ]+$",
    # A template that nobody filled in: {{ user.id }}, ${id}, %%email%%, *|EMAIL|*, <%= id %>.
    r"^(?:\{\{.*\}\}|\$\{.*\}|%%.*%%|\*\|.*\|\*|<%.*%>)$",
    # One digit seven times or more.
    "^(?:" + "|".join(f"{digit}{{7,}}" for digit in range(10)) + ")$",
    *_SPREADSHEET_ERRORS,
)


def _shipped() -> Iterable[BlockListEntry]:
    yield from (BlockListEntry(EVERY_KIND, value=word) for word in (*_PLACEHOLDERS, *_FIELD_NAMES))
    yield from (BlockListEntry(EVERY_KIND, pattern=pattern) for pattern in _EVERYWHERE)
    yield from (BlockListEntry(NAMES, value=word) for word in _NOT_NAMES)
    yield from (BlockListEntry(NAMES, pattern=pattern) for pattern in _SPREADSHEET_ERRORS)
    yield from (BlockListEntry("email", value=address) for address in _EMAILS)
    yield BlockListEntry("email", pattern=r"^(?:no|do[-_.]?not)[-_.]?reply@")
    yield from (BlockListEntry("mobile_phone", value=number) for number in _PHONES)
    yield from (BlockListEntry("mobile_phone", pattern=pattern) for pattern in _PHONE_PATTERNS)
    for kind in ("device_id", "mobile_device_id"):
        yield from (BlockListEntry(kind, value=value) for value in _DEVICES)


SHIPPED: tuple[BlockListEntry, ...] = tuple(_shipped())
"""The entries that every project begins with: the usual junk. They can be edited in the admin."""
