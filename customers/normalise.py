"""Values as they are compared: what was typed comes in, the form that all else sees goes out (R5, R6, R11).

Pure: no database, no settings; what a function needs it is given. Invariants, held by property tests:

- any JSON value is taken; the only exception is `Invalid`, whose sentence never repeats the value;
- a normalised value normalises to itself;
- the fast paths for the commonest forms give what the libraries give, which take everything else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import available_timezones

import idna
import phonenumbers
from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from phonenumbers import NumberParseException, PhoneMetadata, ValidationResult

from customers.texts import gettext_noop as _

VALUE_LIMIT = 255
"""Characters of an identifier or a name."""
TEXT_LIMIT = 1000
"""Characters of anything typed; longer input is refused before it is looked at."""
EMAIL_LIMIT = 254
"""Octets of an e-mail address (RFC 5321)."""
EARLIEST_YEAR = 1900
"""Of a birth date or a moment; earlier ones are placeholders such as 0001-01-01."""
EARLIEST_EVENT_YEAR = 1990
"""Of what a record says happened: before it nobody kept such data, and 1970 is what an unset clock says."""


class Invalid(Exception):  # noqa: N818 - it says what the value is, and reads so where it is caught
    """A value that cannot be normalised. The sentences say what is wrong and what to send instead (R11); the
    `values` go into them.
    """

    def __init__(self, *sentences: str, **values: object) -> None:
        super().__init__(*sentences)
        self.sentences = sentences
        self.values = values

    def message(self, translate: Callable[[str], str]) -> str:
        """The sentences in the reader's language."""
        texts = [translate(sentence) for sentence in self.sentences]
        return " ".join(text % self.values for text in texts) if self.values else " ".join(texts)


class Incomplete(Invalid):
    """A value that says too little to be kept, and is no mistake: a birthday without its year."""


# --- Text

# What copying from a web page, a phone's contacts or a spreadsheet leaves around a value, seen by nobody.
_UNSEEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_SURROGATES = "\ud800-\udfff"
_EDGES = re.compile(rf"\A[\s{_UNSEEN}]+|[\s{_UNSEEN}]+\Z")
_UNSEEN_ANYWHERE = re.compile(f"[{_UNSEEN}]")
_NOT_IN_IDENTIFIERS = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{_UNSEEN}{_SURROGATES}]")
# In text the joiners of Persian or Hindi belong to the word; what turns the reading direction does not.
_NOT_IN_TEXT = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069{_SURROGATES}]")
_SPACES = re.compile(r"\s+")
_GAPS = re.compile(r"[^\S\x00-\x1f\x85\u2028\u2029]+")

_EMPTY = _("It is empty. Leave the field out where nothing is known.")
_HIDDEN = _(
    "It contains characters that cannot be seen, such as a line break. Type it instead of copying it."
)
_TOO_LONG = _("It is too long: at most %(limit)d characters.")


def trim(text: str) -> str:
    """The text without the white space and invisible characters around it."""
    return text.strip() if text.isascii() else _EDGES.sub("", text)


def trimmed_text(raw: object) -> str:
    """A text without what `trim` takes off."""
    return trim(_as_text(raw))


def long_text(raw: object) -> str:
    """A text in which line breaks and tabs are kept, the breaks as single line feeds."""
    return _composed(_as_text(raw).replace("\r\n", "\n").replace("\r", "\n"), _NOT_IN_TEXT, TEXT_LIMIT)


def _as_text(raw: object) -> str:
    if not isinstance(raw, str):
        raise Invalid(_('It must be text: write it in quotation marks, as in "value".'))
    if len(raw) > TEXT_LIMIT:
        raise Invalid(_TOO_LONG, limit=TEXT_LIMIT)
    return raw


def _as_text_or_integer(raw: object) -> str:
    """Text, or the decimal text of a JSON integer (R11)."""
    if type(raw) is int:
        # Turning a very long integer into text takes Python long, and is refused by it beyond 4300 digits.
        if raw.bit_length() > 4 * VALUE_LIMIT:
            raise Invalid(_TOO_LONG, limit=VALUE_LIMIT)
        return str(raw)
    if not isinstance(raw, str):
        raise Invalid(_('It must be text or a whole number: write it as "value" or 123.'))
    return _as_text(raw)


def _composed(text: str, forbidden: re.Pattern[str], limit: int) -> str:
    """Trimmed text in NFC, neither empty nor too long nor with characters that are forbidden in it."""
    if text.isascii() and text.isprintable():
        text = text.strip()
    else:
        text = trim(text)
        if forbidden.search(text):
            raise Invalid(_HIDDEN)
        text = unicodedata.normalize("NFC", text)
    if not text:
        raise Invalid(_EMPTY)
    if len(text) > limit:
        raise Invalid(_TOO_LONG, limit=limit)
    return text


# --- Identifiers

_UUID = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.IGNORECASE | re.ASCII)


def identifier(raw: object) -> str:
    """A unique or non-unique ID: trimmed, NFC, case-sensitive, a JSON integer as decimal text (R11)."""
    return _composed(_as_text_or_integer(raw), _NOT_IN_IDENTIFIERS, VALUE_LIMIT)


def device(raw: object) -> str:
    """A device or mobile device: an identifier, but a UUID in lower case and without braces (R11).

    Only the hyphenated form counts as one: 32 hexadecimal digits in a row may be anything and stay.
    """
    text = identifier(raw)
    return match[1].lower() if (match := _UUID.fullmatch(text)) else text


def discount_card(raw: object) -> str:
    """A discount card number: an identifier without the spaces inside it.

    Cards are printed in groups and typed with or without the gaps; no two cards differ by gaps alone.
    """
    return identifier(_GAPS.sub("", _as_text_or_integer(raw)))


# --- E-mail

_LABEL = r"[a-z0-9](?:[a-z0-9]|-(?!-))*(?<!-)"
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+\-]+(?:\.[a-z0-9_+\-]+)*@"
    rf"(?:(?!xn--)(?=[^.]{{1,63}}\.){_LABEL}\.)+(?!(?:arpa|invalid|local|localhost|onion)\Z)[a-z]{{2,63}}",
    re.IGNORECASE | re.ASCII,
)
_EMAIL_ADVICE = _("Write it like ann@example.com.")


def email(raw: object) -> str:
    """An e-mail address, compared without case, its domain in IDNA (ASCII) form (R6).

    Nothing is looked up. Refused is what is not one public address: no dot after the @, a name around it
    (`Ann <ann@example.com>`), quotation marks, an IP address, the reserved endings .arpa, .invalid, .local,
    .localhost and .onion. The endings of documents and tests (example.com, .test) are accepted.
    """
    if isinstance(raw, str) and len(raw) <= EMAIL_LIMIT and _PLAIN_EMAIL.fullmatch(raw):
        return raw.lower()
    return _email_by_library(_composed(_as_text(raw), _NOT_IN_IDENTIFIERS, TEXT_LIMIT))


def _email_by_library(text: str) -> str:
    try:
        parts = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise Invalid(_email_reason(error), _EMAIL_ADVICE) from None
    return _email_from(parts)


def _email_from(parts: ValidatedEmail) -> str:
    if "." not in parts.ascii_domain:
        raise Invalid(_("The part after the @-sign should have a period."), _EMAIL_ADVICE)
    # The domain comes in lower case; folding it as well would make straße.de the address of strasse.de.
    result = f"{unicodedata.normalize('NFC', parts.local_part.casefold())}@{parts.ascii_domain}"
    if len(result.encode()) > EMAIL_LIMIT:
        raise Invalid(_("The e-mail address is too long: at most %(limit)d characters."), limit=EMAIL_LIMIT)
    return result


def _email_reason(error: EmailNotValidError) -> str:
    if isinstance(error.__cause__, idna.IDNAError):  # its message repeats parts of the value
        return _("The part after the @-sign is not a valid domain name.")
    return str(error)


# --- Phone


class _Plan(NamedTuple):
    """What a country calling code says of the digits after it."""

    lengths: frozenset[int]
    national_prefix: re.Pattern[str] | None


_NANP_REGIONS = frozenset(phonenumbers.region_codes_for_country_code(1))
_NANP_NUMBER = re.compile(
    r"(?:\+?1[-. ]?)?(?:\(([2-9]\d\d)\) ?|([2-9]\d\d)[-. ]?)(\d{3})[-. ]?(\d{4})", re.ASCII
)
_INTERNATIONAL = re.compile(r"\+[1-9](?:[-. ()]?\d){6,14}", re.ASCII)
_BETWEEN_DIGITS = str.maketrans("", "", "-. ()")
_FIRST_OF_NUMBER = re.compile(r"[+＋\d]")
_BEFORE_NUMBER = re.compile(r"(?:tel[.:]?)?[\W_]*", re.IGNORECASE)
_VANITY = re.compile(
    # Of a service number, 1-800-FLOWERS or 0800 PIZZA, letters from behind its prefix on.
    r"(?:\+\d{1,3}[-. ]?|1[-. ])?\(?0?(?:[789]00|8(?:22|33|44|55|66|77|88)|1[38]00)\)?[-. ]?"
    r"\d{0,2}[-. ]?[a-z]{3}[-. a-z0-9]*"
    # Of another North American one, 1-212-MATTRES, where nothing but hyphens is between them.
    r"|(?:\+?1-)?(?-i:[2-9]\d\d-(?=[A-Z0-9-]*[A-Z]{3})(?:[A-Z0-9]-?){6}[A-Z0-9])",
    re.IGNORECASE | re.ASCII,
)

_PHONE_ADVICE = _("Write it with + and the country code, as in +1 415 555 0122.")
_NOT_A_PHONE = _("This is not a phone number.")
_PARSE_REASONS: Mapping[int, str] = {
    NumberParseException.INVALID_COUNTRY_CODE: _("The country code is missing or does not exist."),
    NumberParseException.TOO_SHORT_AFTER_IDD: _("The phone number is too short."),
    NumberParseException.TOO_SHORT_NSN: _("The phone number is too short."),
    NumberParseException.TOO_LONG: _("The phone number is too long."),
}
_LENGTH_REASONS: Mapping[int, str] = {
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: _("The area code is missing."),
    ValidationResult.TOO_SHORT: _("The phone number is too short."),
    ValidationResult.TOO_LONG: _("The phone number is too long."),
}


def phone(raw: object, region: str | None) -> str:
    """A mobile phone in E.164, read as dialled in `region` (ISO code, `US`) where it names no country (R5).

    A number of possible length is accepted, assigned or not. One without its area code is not: it is another
    person's in the next town. Nor is one with an extension: a whole office shares the number before it.
    Digits of any script are digits. Letters count as the keys they stand on where they are part of the number
    (1-800-FLOWERS); other words beside the digits make it invalid: nobody knows what they say of it.
    """
    if isinstance(raw, str) and (number := _common_phone(raw, region)):
        return number
    text = _SPACES.sub(" ", _UNSEEN_ANYWHERE.sub("", _as_text_or_integer(raw)))
    return _phone_by_library(_composed(text, _NOT_IN_IDENTIFIERS, TEXT_LIMIT), region)


def _common_phone(text: str, region: str | None) -> str | None:
    """The commonest forms without the library: North American ones, and + with digits."""
    if match := _NANP_NUMBER.fullmatch(text):
        if region in _NANP_REGIONS or text[0] == "+":
            return f"+1{match[1] or match[2]}{match[3]}{match[4]}"
    elif _INTERNATIONAL.fullmatch(text):
        number = text.translate(_BETWEEN_DIGITS)
        return number if _is_plain(number) else None
    return None


def _is_plain(number: str) -> bool:
    """Whether the library would neither drop a digit of this `+…` number nor refuse it."""
    for end in (2, 3, 4):
        if plan := _plan(number[1:end]):
            national = number[end:]
            prefixed = plan.national_prefix is not None and plan.national_prefix.match(national)
            return len(national) in plan.lengths and not prefixed
    return False


@cache
def _plan(calling_code: str) -> _Plan | None:
    """The numbering plan of a country calling code, None where there is no such code."""
    code = int(calling_code)
    region = phonenumbers.region_code_for_country_code(code)
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if metadata is None or metadata.general_desc is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    return _Plan(frozenset(metadata.general_desc.possible_length), re.compile(prefix) if prefix else None)


def _phone_by_library(text: str, region: str | None) -> str:
    start = _FIRST_OF_NUMBER.search(text)
    if start is None or not _BEFORE_NUMBER.fullmatch(text[: start.start()]):
        raise Invalid(_NOT_A_PHONE, _PHONE_ADVICE)
    # After a + with a country code that does not exist, the library would guess at the default region.
    number = _parsed(text, None if start[0] in "+＋" else region)
    if number.extension:
        raise Invalid(
            _("The phone number has an extension, so others share it. Send the person's own number.")
        )
    if any(map(str.isalpha, text[start.start() :])) and not _VANITY.fullmatch(text[start.start() :]):
        raise Invalid(_("There are words beside the phone number. Send the number alone."))
    return _settled(_possible(number))


def _settled(number: str) -> str:
    """The number read again while it gets shorter: the library drops one leading zero at a time."""
    while not _is_plain(number) and len(again := _possible(_parsed(number, None))) < len(number):
        number = again
    return number


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException as error:
        reason = _PARSE_REASONS.get(error.error_type, _NOT_A_PHONE)
        raise Invalid(reason, _PHONE_ADVICE) from None


def _possible(number: phonenumbers.PhoneNumber) -> str:
    result = phonenumbers.is_possible_number_with_reason(number)
    if result != ValidationResult.IS_POSSIBLE:
        reason = _LENGTH_REASONS.get(result, _("No phone number of that country has so many digits."))
        raise Invalid(reason, _PHONE_ADVICE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# --- Personal data

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d(?::?[0-5]\d)?)",
    re.ASCII | re.IGNORECASE,
)
_DATE_ADVICE = _("Write the date as year-month-day, as in 1990-01-31.")
_NO_SUCH_DAY = _("There is no such day.")
_GENDERS = frozenset({"male", "female", "other", "unknown"})
_NOT_TIME_ZONES = frozenset({"Factory", "localtime"})


def name(raw: object) -> str:
    """A last, first or middle name: trimmed, NFC, white space within as single spaces, case as typed."""
    return _composed(" ".join(_as_text(raw).split()), _NOT_IN_TEXT, VALUE_LIMIT)


def topic(raw: object) -> str:
    """A topic of subscriptions: as a name, and without case (R11)."""
    return topic_compared(name(raw))


def topic_compared(text: str) -> str:
    """The topic as it is stored, of a text of any length that is to be compared with stored ones."""
    return unicodedata.normalize("NFC", " ".join(text.split()).casefold())


def birth_date(raw: object, *, today: date | None = None) -> date:
    """A birth date, `1990-01-31`, from 1900 to `today` (else today where the day begins first)."""
    born = calendar_date(raw)
    latest = today or (datetime.now(UTC) + timedelta(hours=14)).date()
    if born.year < EARLIEST_YEAR or born > latest:
        raise Invalid(
            _("A birth date lies between %(year)d and today. Leave it out if unknown."), year=EARLIEST_YEAR
        )
    return born


def calendar_date(raw: object) -> date:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    text = trimmed_text(raw)
    if not _DATE.fullmatch(text):
        raise Invalid(_DATE_ADVICE)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(_NO_SUCH_DAY, _DATE_ADVICE) from None


def gender(raw: object) -> str:
    """`male`, `female`, `other` or `unknown`, in any case."""
    text = trimmed_text(raw).lower()
    if text not in _GENDERS:
        raise Invalid(_("Gender is one of: male, female, other, unknown."))
    return text


def region(raw: object) -> str:
    """The ISO code of a country that has phone numbers, in any case."""
    text = trimmed_text(raw).upper()
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise Invalid(_("Use the two letters of a country, as in US or DE."))
    return text


def time_zone(raw: object) -> str:
    """The name of an IANA time zone, found in any case."""
    zone = _zones().get(trimmed_text(raw).lower())
    if zone is None:
        raise Invalid(_("There is no such time zone. Use a name of the IANA list, as in Europe/Berlin."))
    return zone


@cache
def _zones() -> Mapping[str, str]:
    return {zone.lower(): zone for zone in available_timezones() - _NOT_TIME_ZONES}


def moment(raw: object) -> datetime:
    """A point in time, ISO 8601 with its offset from UTC (without one nobody knows when it was), as UTC."""
    try:
        result = _with_offset(raw).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(_("There is no such time. Write it as in 2026-01-05T10:00:00Z.")) from None
    if result.year < EARLIEST_YEAR:
        raise Invalid(_("It lies before %(year)d. Leave the time out if unknown."), year=EARLIEST_YEAR)
    return result


def event_moment(raw: object, correction: timedelta = timedelta(0)) -> datetime:
    """A moment at which something happened, by a clock to be corrected by so much."""
    at = moment(raw) + correction
    if at.year < EARLIEST_EVENT_YEAR:
        raise Invalid(
            _("It lies before %(year)d, as of a clock that was not set. Leave the time out if unknown."),
            year=EARLIEST_EVENT_YEAR,
        )
    return at


def _with_offset(raw: object) -> datetime:
    if isinstance(raw, datetime) and raw.tzinfo is not None:
        return raw
    text = trimmed_text(raw)
    if not _MOMENT.fullmatch(text):
        raise Invalid(
            _("Write date, time and offset, as in 2026-01-05T10:00:00Z or 2026-01-05T12:00:00+02:00.")
        )
    return datetime.fromisoformat(text.upper())
