"""Made-up customers as they appear in the systems of a company, with the truth about who is who.

Everything about a person is derived from the seed and the person's number, so that the same seed gives the
same rows, and memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from typing import NamedTuple
from unicodedata import combining, normalize

from dedup.demo.names import LANGUAGES, Language


class Row(NamedTuple):
    """A row as a system exports it. The names of the fields are those of the columns."""

    crm_id: str = ""
    email: str = ""
    mobile_phone: str = ""
    discount_card: str = ""
    device_id: str = ""
    first_name: str = ""
    last_name: str = ""
    birth_date: str = ""
    gender: str = ""
    time_zone: str = ""
    is_subscribed_by_email: str = ""
    is_subscribed_by_sms: str = ""


HEADER = (
    *("CrmID", "Email", "MobilePhone", "DiscountCard", "DeviceID", "FirstName", "LastName", "BirthDate"),
    *("Gender", "TimeZone", "IsSubscribedByEmail", "IsSubscribedBySms"),
)


class Truth(NamedTuple):
    """The person a row is about, and its scenario (`SCENARIOS`)."""

    person: int
    scenario: str


SHARED_DEVICES = 40
_PHONES_OF_CODE = 6_400_000_000
_CALLING_CODES = {"DE": "49151", "FR": "336", "ES": "346", "PL": "485", "CZ": "4207", "RU": "7916"}
_CALLING_CODES |= {"GR": "30697", "JP": "8190"}
_NATIONAL_LENGTHS = {"DE": 8, "FR": 8, "ES": 8, "PL": 8, "CZ": 8, "RU": 7, "GR": 7, "JP": 8}
_MAIL_HOSTS = ("gmail.com", "yahoo.com", "outlook.com", "icloud.com", "example.com", "example.org")
_LATIN = str.maketrans("łŁøØđĐßæœ", "lLoOdDsao")
_LANGUAGE_SHARES = tuple(accumulate(language.share for language in LANGUAGES))
_OLDEST = date(1940, 1, 1)
_BIRTH_DAYS = 25_000


class Person(NamedTuple):
    number: int
    language: Language
    is_woman: bool
    first_name: str
    last_name: str
    email: str
    phone: str
    device: str
    card: str
    birth_date: str


class Population:
    """The people of one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = Random()

    def person(self, number: int) -> Person:
        """The person of this number, always the same."""
        random = self._random
        random.seed(self._seed << 40 | number)
        [language] = random.choices(LANGUAGES, cum_weights=_LANGUAGE_SHARES)
        is_woman = random.random() < 0.52
        first = random.choice(language.women if is_woman else language.men)
        last = random.choice(language.surnames)
        return Person(
            number=number,
            language=language,
            is_woman=is_woman,
            first_name=first,
            last_name=last,
            email=_email(random, first, last, number),
            phone=_phone(language.region, number, self._seed),
            device=_guid(random),
            card=str(7_000_000_000 + number),
            birth_date=(_OLDEST + timedelta(days=random.randrange(_BIRTH_DAYS))).isoformat(),
        )


def _email(random: Random, first: str, last: str, number: int) -> str:
    """Unique, because it contains the person's number."""
    local = f"{_ascii(first)}.{_ascii(last)}".strip(".") or "me"
    return f"{local}{number}@{random.choice(_MAIL_HOSTS)}"


@cache
def _ascii(name: str) -> str:
    plain = normalize("NFD", name.translate(_LATIN))
    return "".join(c for c in plain.lower() if c.isascii() and c.isalpha() and not combining(c))


def _phone(region: str, number: int, seed: int) -> str:
    """A number of valid length. Two people share one only where a scenario says so."""
    spread = (number * 2_654_435_761 + seed * 7919) % _PHONES_OF_CODE
    if region == "US":
        rest, line = divmod(spread, 10_000)
        area, exchange = divmod(rest, 800)
        return f"+1{area + 200}{exchange + 200}{line:04}"
    digits = _NATIONAL_LENGTHS[region]
    return f"+{_CALLING_CODES[region]}{(number * 48_271 + seed) % 10**digits:0{digits}}"


def _guid(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


# --- Rows


def _usual(random: Random, person: Person) -> Row:
    """What a shop knows of a person: most of it, and not always all."""
    return Row(
        crm_id=f"C{person.number + 100_000}" if random.random() < 0.8 else "",
        email=person.email if random.random() < 0.92 else "",
        mobile_phone=_typed(random, person) if random.random() < 0.85 else "",
        discount_card=person.card if random.random() < 0.3 else "",
        device_id=person.device,
        first_name=person.first_name,
        last_name=person.last_name,
        birth_date=person.birth_date if random.random() < 0.7 else "",
        gender=("female" if person.is_woman else "male") if random.random() < 0.8 else "",
        time_zone=person.language.time_zone if random.random() < 0.5 else "",
        is_subscribed_by_email=random.choice(("yes", "yes", "no", "")),
        is_subscribed_by_sms=random.choice(("yes", "no", "", "")),
    )


def _typed(random: Random, person: Person) -> str:
    """The phone in one of the ways people write it."""
    number = person.phone
    if person.language.region != "US":
        return number
    area, exchange, line = number[2:5], number[5:8], number[8:]
    return random.choice(
        (number, f"({area}) {exchange}-{line}", f"{area}-{exchange}-{line}", f"1 {area} {exchange} {line}")
    )


def _again(random: Random, person: Person) -> Row:
    """The same person in another system: with fewer values, written differently, sometimes misspelt."""
    row = _usual(random, person)._replace(device_id="", discount_card="")
    name = person.first_name
    if random.random() < 0.3:
        row = row._replace(email=row.email.upper())
    if random.random() < 0.25:
        row = row._replace(first_name=name[:1] if random.random() < 0.5 else _misspelt(random, name))
    if random.random() < 0.3:
        row = row._replace(crm_id="")
    if not row.email and not row.mobile_phone:
        row = row._replace(email=person.email)
    return row


def _misspelt(random: Random, name: str) -> str:
    at = random.randrange(len(name))
    return name[:at] + name[at : at + 1] * 2 + name[at + 1 :]


def _second_account(random: Random, person: Person) -> Row:
    """The same person under another number in the CRM."""
    row = _again(random, person)
    return row._replace(crm_id=f"C{person.number + 100_000}-2", email=row.email or person.email)


def _new_address(random: Random, person: Person) -> Row:
    """The same person with another e-mail address, known by the phone alone."""
    row = _again(random, person)
    local, _at, host = person.email.partition("@")
    return row._replace(crm_id="", email=f"{local}.new@{host}", mobile_phone=person.phone)


def _junk(random: Random, person: Person) -> Row:
    """Test values and placeholders, as people and forms fill them in where nothing is known."""
    return _usual(random, person)._replace(
        email=random.choice(("test@test.com", "no@no.com", "null", "noemail@noemail.com", "N/A")),
        mobile_phone=random.choice(("0000000000", "+1 111 111 1111", "1234567890", "null", "-")),
        device_id=random.choice(("00000000-0000-0000-0000-000000000000", "undefined", "")),
        discount_card=person.card,
    )


def _invalid(random: Random, person: Person) -> Row:
    """With one value that is not valid."""
    row = _usual(random, person)
    change = random.choice(
        (
            {"email": person.email.replace("@", " at ")},
            {"mobile_phone": person.phone[:5]},
            {"birth_date": "1990-02-31"},
            {"birth_date": "31st of May"},
        )
    )
    return row._replace(**change)


SCENARIOS: dict[str, str] = {
    "new": "a person who was not in the file before",
    "duplicate": "somebody from an earlier row again",
    "second_account": "somebody from an earlier row, under another CRM ID",
    "new_address": "somebody from an earlier row, with another e-mail address and the same phone",
    "shared_phone": "a new person with the phone of somebody from an earlier row, as in families",
    "shared_device": "a new person on a device that many people use",
    "junk": "a new person whose contacts are test values",
    "invalid": "a new person with a value that is not valid",
}
_SHARES = {"new": 640, "duplicate": 220, "second_account": 20, "new_address": 30, "shared_phone": 30}
_SHARES |= {"shared_device": 20, "junk": 30, "invalid": 10}
_CUMULATED = tuple(accumulate(_SHARES.values()))
_OF_SOMEBODY_KNOWN: dict[str, Callable[[Random, Person], Row]] = {
    "duplicate": _again,
    "second_account": _second_account,
    "new_address": _new_address,
}


def rows(count: int, seed: int) -> Iterator[tuple[Row, Truth]]:
    """`count` rows, each with the truth about it; the same rows for the same seed."""
    population, random = Population(seed), Random(seed)
    known = 0
    for _at in range(count):
        [scenario] = random.choices(tuple(_SHARES), cum_weights=_CUMULATED) if known else ["new"]
        if read := _OF_SOMEBODY_KNOWN.get(scenario):
            person = population.person(random.randrange(known))
            yield read(random, person), Truth(person.number, scenario)
            continue
        person = population.person(known)
        yield _new_person(random, population, person, scenario), Truth(known, scenario)
        known += 1


def _new_person(random: Random, population: Population, person: Person, scenario: str) -> Row:
    match scenario:
        case "junk":
            return _junk(random, person)
        case "invalid":
            return _invalid(random, person)
        case "shared_phone":
            other = population.person(random.randrange(person.number))
            return _usual(random, person)._replace(mobile_phone=other.phone, email=person.email)
        case "shared_device":
            return _usual(random, person)._replace(device_id=f"kiosk-{random.randrange(SHARED_DEVICES):03}")
        case _:
            return _usual(random, person)
