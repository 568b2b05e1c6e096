"""What stands in the cells of files besides plain values: yes and no, statuses, decimal commas, lists, and
what stands for nothing. Dates and times are in `cell_times`.

Pure. What could mean two things is refused, with what to choose.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from customers.normalise import Invalid, trim
from customers.presentation.csv import BETWEEN_ENTRIES
from customers.profile import SubscriptionStatus
from customers.texts import gettext_noop as _
from dedup.parsing.currencies import CURRENCIES

_PLACEHOLDERS = frozenset(
    {"-", "--", "---", "\u2013", "\u2014", ".", "?", "n/a", "n.a.", "na", "null", "none", "nil", "nan", "nat",
     "\\n", "(null)", "[null]", "<null>", "undefined", "unknown", "not set", "not available"}
)  # fmt: skip
_SPREADSHEET_ERROR = re.compile(r"#(?:#+|n/?[adv]|[^\s#]{1,30}[!?])|err:\d{3}", re.IGNORECASE)


def is_placeholder(text: str) -> bool:
    """Whether a cell of dates, numbers or choices stands for nothing: `N/A`, `\\N`, `#DIV/0!`."""
    plain = trim(text).lower()
    return plain in _PLACEHOLDERS or (plain[:1] in "#e" and _SPREADSHEET_ERROR.fullmatch(plain) is not None)


_YES_OR_NO: Mapping[str, bool] = {
    **dict.fromkeys(("yes", "y", "true", "t", "1", "on", "x", "\u2713", "\u2714", "checked"), True),
    **dict.fromkeys(("no", "n", "false", "f", "0", "off", "unchecked"), False),
    # German, French, Spanish, Italian, Polish, Russian.
    **dict.fromkeys(("ja", "j", "oui", "si", "s\u00ed", "s\u00ec", "tak", "\u0434\u0430"), True),
    **dict.fromkeys(("nein", "non", "nie", "\u043d\u0435\u0442"), False),
}


def yes_or_no(text: object) -> bool | None:
    return _YES_OR_NO.get(trim(text).lower()) if isinstance(text, str) else None


_GENDERS: Mapping[str, str] = {
    **dict.fromkeys(("m", "man", "m\u00e4nnlich", "mann", "homme", "hombre", "masculino", "uomo"), "male"),
    **dict.fromkeys(("f", "w", "woman", "weiblich", "frau", "femme", "mujer", "femenino", "donna"), "female"),
    **dict.fromkeys(("o", "x", "d", "diverse", "divers", "nonbinary", "non-binary"), "other"),
    **dict.fromkeys(("u", "not specified", "prefer not to say"), "unknown"),
}


def gender(text: str) -> str:
    """What the words and letters of files stand for; other text stays as it is."""
    return _GENDERS.get(trim(text).lower().removesuffix("."), text)


_STATUSES: Mapping[str, SubscriptionStatus | None] = {
    **{status.value: status for status in SubscriptionStatus},
    **dict.fromkeys(
        ("opted_in", "opt_in", "optin", "double_opt_in", "single_opt_in", "active", "enabled", "confirmed",
         "granted", "given", "accepted", "consented"),
        SubscriptionStatus.SUBSCRIBED,
    ),
    **dict.fromkeys(
        ("pending", "unconfirmed", "awaiting", "pending_confirmation"),
        SubscriptionStatus.AWAITING_CONFIRMATION,
    ),
    **dict.fromkeys(
        ("opted_out", "opt_out", "optout", "unsub", "blocklisted", "blacklisted", "blocked", "disabled",
         "inactive", "complained", "complaint", "spam", "suppressed", "revoked", "withdrawn", "denied",
         "declined", "refused"),
        SubscriptionStatus.UNSUBSCRIBED,
    ),
    # They say that there was never a choice, or that mail does not arrive.
    **dict.fromkeys(
        ("never_subscribed", "not_subscribed", "nonsubscribed", "non_subscribed", "transactional", "cleaned",
         "bounced", "hard_bounced", "archived", "invalid")
    ),
}  # fmt: skip


def subscription(text: str) -> SubscriptionStatus | None:
    """Yes or no, or a status in the words of the usual tools; None for a word that says neither. Raises
    `Invalid` for others.
    """
    if (answer := yes_or_no(text)) is not None:
        return SubscriptionStatus.SUBSCRIBED if answer else SubscriptionStatus.UNSUBSCRIBED
    word = re.sub(r"[\s_-]+", "_", trim(text).lower())
    if word in _STATUSES:
        return _STATUSES[word]
    if is_placeholder(text):
        return None
    raise Invalid(_("Write yes or no, or one of: %(names)s."), names=", ".join(SubscriptionStatus))


# --- Numbers

_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]?\d{1,3}", re.ASCII | re.IGNORECASE)
_LOST_DIGITS = re.compile(r"[+-]?(?:\d+[.,]\d+E[+-]?\d{1,3}|\d+E\+\d{1,3})", re.ASCII | re.IGNORECASE)
_CODES = "|".join(sorted(CURRENCIES))
_CURRENCY = rf"(?:{_CODES}|(?:US|NZ|HK|[ACRS])?\$|[€£¥₽₴₺₹₩₪฿]|zł|Kč|kr\.?|Ft|Fr\.?|лв\.?|руб\.?)?"
_AMOUNT = re.compile(
    rf"(?P<before>-|\()?\s*{_CURRENCY}\s*(?P<number>[+-]?\d(?:.*\d)?)\s*{_CURRENCY}\s*(?P<after>-|\))?"
)
_GROUPS = re.compile(r"[ \xa0\u202f'\u2019](?=\d{3}(?!\d))")
_POINT_GROUPS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d+|[+-]?\d{1,3}(?:\.\d{3}){2,}", re.ASCII)
_COMMA_GROUPS = re.compile(
    r"[+-]?\d{1,3}(?:,\d{3})+\.\d+|[+-]?\d{1,3}(?:,\d{3}){2,}"
    r"|[+-]?\d{1,2}(?:,\d\d)+,\d{3}(?:\.\d+)?",  # as in India
    re.ASCII,
)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,(?:\d{1,2}|\d{4,})", re.ASCII)
_EITHER_COMMA = re.compile(r"[+-]?\d{1,3},\d{3}", re.ASCII)
_EITHER_POINT = re.compile(r"[+-]?\d{1,3}\.\d{3}", re.ASCII)


def number(text: str, *, has_decimal_commas: bool = False) -> str:
    """A number with a decimal point and without the rest; other text stays as it is.

    Raises `Invalid` where 1,234 could be a thousand or one and a bit, and 1.234 in a column that
    `has_decimal_commas`.
    """
    plain = trim(text)
    if not _PLAIN.fullmatch(plain):
        plain = _without_currency(plain)
    if _EITHER_COMMA.fullmatch(plain):
        raise Invalid(
            _(
                "The comma could stand for thousands or for the decimal point. "
                "Write it without, as in 1234.00."
            )
        )
    if has_decimal_commas and _EITHER_POINT.fullmatch(plain):
        raise Invalid(
            _(
                "Beside numbers with a decimal comma, the point could stand for thousands or for the decimal "
                "point. Write it without, as in 1234,00."
            )
        )
    return _with_point(plain)


def _without_currency(text: str) -> str:
    """The number of an amount: `EUR 59.90`, `1 234,50 zł`. In brackets, or with a minus behind, it is
    negative.
    """
    match = _AMOUNT.fullmatch(text.replace("\u2212", "-"))
    if match is None or (match["before"] == "(") != (match["after"] == ")"):
        return text
    figure = _GROUPS.sub("", match["number"])
    return f"-{figure}" if match["before"] or match["after"] else figure


def _with_point(plain: str) -> str:
    if _SCIENTIFIC.fullmatch(plain):
        return f"{Decimal(plain.replace(',', '.')):f}"
    if _POINT_GROUPS.fullmatch(plain) or _DECIMAL_COMMA.fullmatch(plain):
        return plain.replace(".", "").replace(",", ".")
    return plain.replace(",", "") if _COMMA_GROUPS.fullmatch(plain) else plain


def has_decimal_comma(text: str) -> bool:
    """Whether the comma of a number can only be the decimal one: `59,90`, `1.234,50`."""
    plain = _without_currency(trim(text)) if "," in text else ""
    return "," in plain and bool(_DECIMAL_COMMA.fullmatch(plain) or _POINT_GROUPS.fullmatch(plain))


_FIRST = frozenset("0123456789+-. \t")
LOST_DIGITS = _(
    "A spreadsheet has shortened this number and lost its last digits. Format the column as text there, and "
    "export it again."
)


def has_lost_digits(text: str) -> bool:
    """Whether it is a long number as spreadsheets shorten it, `1.23457E+11`: as an ID, that is another."""
    is_likely = ("E" in text or "e" in text) and text[:1] in _FIRST
    return is_likely and _LOST_DIGITS.fullmatch(trim(text)) is not None


# --- Names

_BEFORE_LAST_NAMES = frozenset(
    ("von", "vom", "van", "der", "den", "de", "del", "della", "di", "da", "do", "dos", "du", "la", "le",
     "ter", "ten", "zu", "zum", "zur", "bin", "ibn", "al", "el", "af", "av", "st.")
)  # fmt: skip


def named(text: str) -> dict[str, str]:
    """First and last name of a full one: the last word is the last name, with what belongs to it (`van der
    Berg`); or before a comma stands the last name. A single word is a first name.
    """
    last, comma, first = map(trim, text.partition(","))
    if comma and last and first:
        return {"last_name": last, "first_name": first}
    words = text.replace(",", " ").split()
    at = max(len(words) - 1, min(len(words), 1))
    while at > 1 and words[at - 1].lower() in _BEFORE_LAST_NAMES:
        at -= 1
    parts = {"first_name": " ".join(words[:at]), "last_name": " ".join(words[at:])}
    return {name: part for name, part in parts.items() if part}


# --- Lists


def listed(text: str) -> list[str]:
    """The entries of a cell that holds several: a JSON list, or with one of `BETWEEN_ENTRIES` between them,
    the first that occurs; entries may stand in quotation marks.
    """
    if text.startswith("["):
        found = json_value(text)
        return [str(entry) for entry in found] if isinstance(found, list) else [text]
    separator = next((mark for mark in BETWEEN_ENTRIES if mark in text), ",")
    entries = next(csv.reader([text], delimiter=separator, skipinitialspace=True)) if _is_quoted(text) else ()
    return [entry for entry in map(trim, entries or text.split(separator)) if entry]


def _is_quoted(text: str) -> bool:
    """Whether entries stand in quotation marks, as in a CSV file within a CSV file."""
    return text.startswith('"') and "\n" not in text and " ::: " not in text


def several(text: str) -> list[str]:
    """The identifiers of a cell, mostly one."""
    if "," in text or ";" in text or "|" in text or ":::" in text or "\n" in text:
        return listed(text)
    return [text]


def json_value(text: str) -> Any:
    """Raises `Invalid` where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid(_('Write it as JSON, as in [{"sku": "7"}].')) from None
