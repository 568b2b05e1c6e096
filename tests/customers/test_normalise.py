import string
import time
from datetime import UTC, date, datetime, timedelta

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, example, given
from hypothesis import strategies as st

from customers import normalise
from customers.custom_values import CustomType, custom_value, decimal_number, whole_number
from customers.normalise import Invalid

TODAY = date(2026, 1, 5)
KEY = b"key of the project"
NORMALISERS = {
    "email": normalise.email,
    "phone": lambda raw: normalise.phone(raw, "US"),
    "phone_abroad": lambda raw: normalise.phone(raw, "DE"),
    "phone_nowhere": lambda raw: normalise.phone(raw, None),
    "identifier": normalise.identifier,
    "device": normalise.device,
    "discount_card": normalise.discount_card,
    "name": normalise.name,
    "birth_date": normalise.birth_date,
    "gender": normalise.gender,
    "time_zone": normalise.time_zone,
    "moment": normalise.moment,
    "whole_number": whole_number,
    "decimal_number": decimal_number,
    **{f"custom_{kind}": lambda raw, kind=kind: custom_value(raw, kind) for kind in CustomType},
}
ANY_CHARACTER = st.characters(exclude_categories=[])
ANY_TEXT = st.text(ANY_CHARACTER, max_size=40)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
HIDDEN = "It contains characters that cannot be seen, such as a line break. Type it instead of copying it."
ADVICE = "Write it with + and the country code, as in +1 415 555 0122."
JUNK: tuple[object, ...] = (
    None,
    True,
    False,
    [],
    {},
    ["a"],
    {"a": 1},
    1.5,
    float("nan"),
    float("inf"),
    "",
    " ",
    "\ufeff",
    "\x00",
)


def outcome(normaliser, raw):
    """What a normaliser makes of a value, refusals as their reason."""
    try:
        return normaliser(raw)
    except Invalid as refusal:
        return refusal.message(str)


def outcomes(normaliser, raws):
    """What a normaliser makes of each of the values."""
    return {raw: outcome(normaliser, raw) for raw in raws}


def refused(normaliser, raws):
    """Those of the values that are refused."""
    return [raw for raw in raws if isinstance(attempt(normaliser, raw), Invalid)]


def attempt(normaliser, raw):
    try:
        return normaliser(raw)
    except Invalid as refusal:
        return refusal


# --- Every normaliser


@pytest.mark.parametrize("normaliser", NORMALISERS.values(), ids=NORMALISERS)
@given(raw=ANY_JSON)
def test_any_json_value_is_normalised_or_refused_and_stays_as_it_was_normalised(normaliser, raw):
    result = attempt(normaliser, raw)
    if not isinstance(result, Invalid):
        assert attempt(normaliser, result) == result


@pytest.mark.parametrize("normaliser", NORMALISERS.values(), ids=NORMALISERS)
def test_a_value_of_a_megabyte_is_refused_at_once(normaliser):
    started = time.perf_counter()
    for giant in (
        "a" * 1_000_000,
        " " * 1_000_000,
        "1" * 1_000_000,
        "é@" * 500_000,
        10**50_000,
        ["a"] * 1_000_000,
    ):
        assert isinstance(attempt(normaliser, giant), Invalid)
    assert time.perf_counter() - started < 0.5


def test_a_reason_never_repeats_the_value():
    raws = (
        "Secret Person",
        "secret@",
        "secret@-x-.com",
        "secret@xn--secret.com",
        "secret@a\u0301\u06601.com",
        "secret\x00",
    )
    reasons = [
        str(attempt(normaliser, raw)).lower()
        for normaliser in NORMALISERS.values()
        for raw in raws
        if isinstance(attempt(normaliser, raw), Invalid)
    ]
    assert len(reasons) > 50
    assert [reason for reason in reasons if "secret" in reason] == []


@pytest.mark.parametrize(
    "normaliser", [normalise.identifier, normalise.email, normalise.device, normalise.name]
)
def test_nul_and_lone_surrogates_are_refused(normaliser):
    assert refused(normaliser, ["a\x00b@c.de", "a\ud800b@c.de", "a\x1bb@c.de"]) == [
        "a\x00b@c.de",
        "a\ud800b@c.de",
        "a\x1bb@c.de",
    ]


# --- E-mail


def test_email_is_compared_without_case_and_with_its_domain_in_idna_form():
    expected = {
        "ann@example.com": "ann@example.com",
        " Ann.Smith+News@Example.COM\n": "ann.smith+news@example.com",
        "\u200bann@example.com\ufeff": "ann@example.com",
        "ann@shop.maestra.io": "ann@shop.maestra.io",
        "ann@shop.test": "ann@shop.test",
        "o'hara@example.com": "o'hara@example.com",
        "ann@exämple.de": "ann@xn--exmple-cua.de",
        "ann@XN--EXMPLE-CUA.de": "ann@xn--exmple-cua.de",
        "ann@straße.de": "ann@xn--strae-oqa.de",
        "ann@strasse.de": "ann@strasse.de",
        "ÉVA@example.com": "éva@example.com",
        "e\u0301va@example.com": "éva@example.com",
        "用户@例子.广告": "用户@xn--fsqu00a.xn--4rr70v",
    }
    assert outcomes(normalise.email, expected) == expected


def test_email_says_what_is_wrong_and_how_to_write_it():
    expected = {
        "ann": "An email address must have an @-sign.",
        "ann@localhost": "The part after the @-sign is not valid. It should have a period.",
        "ann@test": "The part after the @-sign should have a period.",
        "ann@ex/ample.com": "The part after the @-sign contains invalid characters: '/'.",
        "ann@xn--a.com": "The part after the @-sign is not a valid domain name.",
    }
    assert outcomes(normalise.email, expected) == {
        raw: f"{reason} Write it like ann@example.com." for raw, reason in expected.items()
    }


def test_email_refuses_what_is_not_one_public_address():
    wrong = (
        "@example.com", "ann@", "ann@@example.com", "ann@example..com", ".ann@example.com",
        "a..n@example.com",
        "ann@-example.com", "ann@example-.com", "ann@ab--c.com", "ann@example.c0m1", "ann@127.0.0.1",
        "ann@[127.0.0.1]", '"ann smith"@example.com', "Ann <ann@example.com>", "ann@a.invalid", "ann@a.onion",
        "ann@a.arpa", "ann@a.localhost", "ann smith@example.com", "ann@exam ple.com",
        "ann@example.com, b@c.com",
        "mailto:ann@example.com", f"{'a' * 243}@example.com", f"ann@{'a' * 64}.com",
        *JUNK, 7,
    )  # fmt: skip
    assert refused(normalise.email, wrong) == list(wrong)


EMAIL_PART = st.text(string.ascii_letters + string.digits + "._+-@ '!xn", max_size=20)
LABEL = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=8) | st.sampled_from(
    ["xn--a", "xn--exmple-cua", "a" * 63, "a" * 64]
)
ENDING = st.sampled_from(
    ["com", "COM", "test", "local", "invalid", "onion", "localhost", "arpa", "c", "c1", "1c"]
)
EMAILS = st.one_of(
    EMAIL_PART,
    st.emails(),
    st.builds("{}@{}".format, EMAIL_PART, EMAIL_PART),
    st.builds(
        lambda user, labels, end: f"{user}@{'.'.join([*labels, end])}", EMAIL_PART, st.lists(LABEL), ENDING
    ),
)


@given(raw=EMAILS)
@example(raw=f"{'a' * 242}@example.com")
@example(raw=f"{'a' * 243}@example.com")
@example(raw="ann@example.com\n")
def test_the_fast_path_of_email_agrees_with_the_library(raw):
    fast = attempt(normalise.email, raw)
    try:
        library = validate_email(raw.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        assert isinstance(fast, Invalid)
    else:
        assume(library.domain != "test")
        assert fast == f"{library.local_part.casefold()}@{library.ascii_domain}"


def test_every_character_of_an_email_folds_to_one_form():
    characters = (chr(code) for code in range(0x110000))
    folded = {c: attempt(normalise.email, f"a{c}@example.com") for c in characters if c.casefold() != c}
    accepted = {c: result for c, result in folded.items() if not isinstance(result, Invalid)}
    assert len(accepted) > 1000
    assert {c for c, result in accepted.items() if normalise.email(result) != result} == set()


# --- Phone


def test_phone_is_e164_with_the_default_region():
    expected = {
        "+14155550122": "+14155550122",
        "4155550122": "+14155550122",
        "14155550122": "+14155550122",
        " (415) 555-0122 ": "+14155550122",
        "415.555.0122": "+14155550122",
        "+1 (415) 111-1122": "+14151111122",
        "+1 555 123 1212": "+15551231212",
        "001 1": f"The phone number is too short. {ADVICE}",
        "011 44 7911 123456": "+447911123456",
        "+44 (0)7911 123456": "+447911123456",
        "+39 0352 6553537": "+3903526553537",
        "+33 6\u202f12\u202f34\u202f56\u202f78": "+33612345678",
        "\u202d+33612345678\u202c": "+33612345678",
        "４１５５５５０１２２": "+14155550122",
        "٤١٥٥٥٥٠١٢٢": "+14155550122",
        "＋14155550122": "+14155550122",
        "tel:+1-415-555-0122": "+14155550122",
        "1-800-FLOWERS": "+18003569377",
        "1 800 CALL NOW": "+18002255669",
        "1.800.flowers": "+18003569377",
        "1-212-MATTRES": "+12126288737",
        "0000000000": "+10000000000",
        4155550122: "+14155550122",
    }
    assert outcomes(lambda raw: normalise.phone(raw, "US"), expected) == expected


def test_a_national_phone_is_read_as_dialled_in_the_region():
    expected = {
        "GB": "+447911123456",
        "DE": "+497911123456",
        None: f"The country code is missing or does not exist. {ADVICE}",
    }
    assert outcomes(lambda region: normalise.phone("07911 123456", region), expected) == expected


def test_phone_says_what_is_wrong_and_how_to_write_it():
    expected = {
        "321-3212": f"The area code is missing. {ADVICE}",
        "+999 123 4567": f"The country code is missing or does not exist. {ADVICE}",
        "415 555 0122 33": f"The phone number is too long. {ADVICE}",
        "+49 1": f"The phone number is too short. {ADVICE}",
        "unknown": f"This is not a phone number. {ADVICE}",
        "John 4155550122": f"This is not a phone number. {ADVICE}",
        **dict.fromkeys(
            (
                "415 555 0122 Mom",
                "(415) 555-0122 (work)",
                "415 555 O122",
                "800 555 0122 HOME",
                "415 555 MAMA",
            ),
            "There are words beside the phone number. Send the number alone.",
        ),
        "415 555 0122 ext. 5": "The phone number has an extension, so others share it. "
        "Send the person's own number.",
        "": "It is empty. Leave the field out where nothing is known.",
    }
    assert outcomes(lambda raw: normalise.phone(raw, "US"), expected) == expected


def test_words_beside_a_phone_never_become_digits():
    """R5"""
    remarks = (
        "0151 1234567 Mama",
        "0170 7654321 (Frau)",
        "0171 765 oder",
        "0171-765-ODER",
        "0800 1234567 Mama",
    )
    assert refused(lambda raw: normalise.phone(raw, "DE"), remarks) == list(remarks)
    assert normalise.phone("0800 PIZZABO", "DE") == "+498007499226"


def test_phone_refuses_what_is_not_one_number():
    wrong = (
        "415-555-0122 / 415-555-0133", "4155550122, 4155550133", "ann@example.com", "+", "++", "12",
        "550e8400-e29b-41d4-a716-446655440000", "+1 415 555 0122x3", *JUNK, -1,
    )  # fmt: skip
    assert refused(lambda raw: normalise.phone(raw, "US"), wrong) == list(wrong)


def by_library(raw, region):
    """The library alone, asked until its answer no longer changes."""
    try:
        number = phonenumbers.parse(raw, None if raw.lstrip("-. ()").startswith("+") else region)
    except phonenumbers.NumberParseException:
        return None
    possible = (
        phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    )
    if number.extension or not possible:
        return None
    result = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return result if result == raw else by_library(result, None)


REGIONS = [*phonenumbers.region_codes_for_country_code(1), "GB", "DE", "IT", "RU", "KZ", "BR", "AR", "MX"]
CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
DIGITS = st.text(string.digits, min_size=4, max_size=15)
PUNCTUATED = st.lists(
    st.tuples(st.sampled_from(["", "", "-", ".", " ", "(", ")", ") "]), st.sampled_from(string.digits))
)
PHONES = st.one_of(
    DIGITS,
    st.builds("+{}{}".format, st.sampled_from(CODES), DIGITS),
    st.builds("+1{}".format, DIGITS),
    st.builds(
        lambda lead, gaps, groups: lead + "".join(a + b for a, b in zip(gaps, groups, strict=False)),
        st.sampled_from(["", "1", "+1", "+1 ", "1-", "+"]),
        st.lists(st.sampled_from(["", "(", ") ", ")", "-", " ", "."]), min_size=3, max_size=3),
        st.tuples(*(st.text(string.digits, min_size=n, max_size=n) for n in (3, 3, 4))),
    ),
    st.builds(
        lambda code, pairs: f"+{code}" + "".join(a + b for a, b in pairs), st.sampled_from(CODES), PUNCTUATED
    ),
)  # fmt: skip


@given(raw=PHONES, region=st.sampled_from(REGIONS))
@example(raw="+49 00 190 689833324", region="US")
@example(raw="0009210800818", region="DE")
@example(raw="888319797844", region="BY")
def test_the_fast_path_of_phone_agrees_with_the_library(raw, region):
    ours = attempt(lambda value: normalise.phone(value, region), raw)
    assert (None if isinstance(ours, Invalid) else ours) == by_library(raw, region)
    assert isinstance(ours, Invalid) or normalise.phone(ours, region) == ours


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_an_example_number_of_every_region_is_accepted_in_every_form(region):
    mobile = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    number = mobile or phonenumbers.example_number(region)
    assert number is not None
    formats = phonenumbers.PhoneNumberFormat
    forms = (formats.E164, formats.INTERNATIONAL, formats.NATIONAL, formats.RFC3966)
    written = [phonenumbers.format_number(number, form) for form in forms]
    assert [normalise.phone(raw, region) for raw in written] == [written[0]] * 4


# --- Identifiers


def test_identifier_is_trimmed_composed_and_keeps_its_case():
    expected = {
        "301": "301",
        301: "301",
        -7: "-7",
        0: "0",
        "  AbC-1\t": "AbC-1",
        "\ufeffabc\u200b": "abc",
        "Ame\u0301lie": "Amélie",
        "a b": "a b",
        "x" * 256: "It is too long: at most 255 characters.",
        "a\nb": HIDDEN,
        "a\u200bb": HIDDEN,
        "": "It is empty. Leave the field out where nothing is known.",
    }
    assert outcomes(normalise.identifier, expected) == expected


def test_identifier_is_text_or_a_whole_number():
    wrong = (*JUNK, 1.0, 10**255)
    assert refused(normalise.identifier, wrong) == list(wrong)
    assert (
        outcome(normalise.identifier, 1.0) == 'It must be text or a whole number: write it as "value" or 123.'
    )
    assert outcome(normalise.identifier, 10**254) == "1" + "0" * 254


def test_a_device_that_is_a_uuid_is_in_lower_case_and_without_braces():
    expected = {
        "7F3C9A52-1111-4222-8333-444455556666": "7f3c9a52-1111-4222-8333-444455556666",
        "{7F3C9A52-1111-4222-8333-444455556666}": "7f3c9a52-1111-4222-8333-444455556666",
        "7F3C9A52111142228333444455556666": "7F3C9A52111142228333444455556666",
        "Cookie-ABC": "Cookie-ABC",
        42: "42",
    }
    assert outcomes(normalise.device, expected) == expected


def test_a_discount_card_is_the_same_with_and_without_gaps():
    expected = {
        "7001 2345": "70012345",
        " 7001\u00a02345 ": "70012345",
        "70012345": "70012345",
        70012345: "70012345",
        "Gold-7": "Gold-7",
        "7001\n2": HIDDEN,
    }
    assert outcomes(normalise.discount_card, expected) == expected


# --- Personal data


def test_a_name_keeps_its_case_and_loses_needless_space():
    expected = {
        "  Anna \t Maria\n": "Anna Maria",
        "Ze\u0301": "Zé",
        "می\u200cخواهم": "می\u200cخواهم",
        "d'Arc": "d'Arc",
        "x" * 256: "It is too long: at most 255 characters.",
        "a\u202eb": HIDDEN,
        "": "It is empty. Leave the field out where nothing is known.",
    }
    assert outcomes(normalise.name, expected) == expected
    assert refused(normalise.name, (*JUNK, 7)) == [*JUNK, 7]


def test_a_birth_date_is_a_day_of_the_calendar_from_1900_to_today():
    out_of_range = "A birth date lies between 1900 and today. Leave it out if unknown."
    no_date = "Write the date as year-month-day, as in 1990-01-31."
    expected = {
        "1990-01-31": date(1990, 1, 31),
        " 2026-01-05 ": date(2026, 1, 5),
        "2024-02-29": date(2024, 2, 29),
        "2026-01-06": out_of_range,
        "1899-12-31": out_of_range,
        "0000-01-01": "There is no such day. Write the date as year-month-day, as in 1990-01-31.",
        "1990-02-30": "There is no such day. Write the date as year-month-day, as in 1990-01-31.",
        "31.01.1990": no_date,
        "19900131": no_date,
        "1990-W01-1": no_date,
        "1990-01-31T00:00:00Z": no_date,
        date(1990, 1, 31): date(1990, 1, 31),
    }
    assert outcomes(lambda raw: normalise.birth_date(raw, today=TODAY), expected) == expected
    wrong = (*JUNK, 19900131, datetime(1990, 1, 31))
    assert refused(normalise.birth_date, wrong) == list(wrong)


def test_gender_is_one_of_four_words():
    expected = {
        "male": "male",
        " Female ": "female",
        "OTHER": "other",
        "unknown": "unknown",
        "m": "Gender is one of: male, female, other, unknown.",
        "": "Gender is one of: male, female, other, unknown.",
    }
    assert outcomes(normalise.gender, expected) == expected
    assert refused(normalise.gender, JUNK) == list(JUNK)


def test_a_time_zone_is_a_name_of_the_iana_list():
    expected = {"Europe/Berlin": "Europe/Berlin", "europe/berlin ": "Europe/Berlin", "UTC": "UTC"}
    assert outcomes(normalise.time_zone, expected) == expected
    wrong = ("Mars/Base", "localtime", "../etc", "+02:00", *JUNK)
    assert refused(normalise.time_zone, wrong) == list(wrong)
    assert outcome(normalise.time_zone, "Mars/Base") == (
        "There is no such time zone. Use a name of the IANA list, as in Europe/Berlin."
    )


def test_a_moment_has_its_offset_and_comes_back_in_utc():
    ten = datetime(2026, 1, 5, 10, tzinfo=UTC)
    raws = (
        "2026-01-05T10:00:00Z", "2026-01-05t10:00:00z", "2026-01-05 12:00:00+02:00", "2026-01-05T05:00-0500",
        "2026-01-05T11:00:00.000000001+01", "9999-12-31T23:59:59Z", "1900-01-01T00:00:00Z",
    )  # fmt: skip
    assert [normalise.moment(raw) for raw in raws] == [
        ten, ten, ten, ten, ten, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(1900, 1, 1, tzinfo=UTC),
    ]  # fmt: skip
    assert normalise.moment("2026-01-05T10:00:00.5Z") == ten.replace(microsecond=500_000)
    assert normalise.moment(raws[2]).tzinfo is UTC


def test_a_moment_says_what_is_wrong():
    form = "Write date, time and offset, as in 2026-01-05T10:00:00Z or 2026-01-05T12:00:00+02:00."
    nonsense = "There is no such time. Write it as in 2026-01-05T10:00:00Z."
    expected = {
        "2026-01-05T10:00:00": form,
        "2026-01-05": form,
        "2026-W01-1T10:00:00Z": form,
        "2026-13-05T10:00:00Z": nonsense,
        "2026-01-05T25:00:00Z": nonsense,
        "2026-01-05T10:00:00+25:00": nonsense,
        "9999-12-31T23:59:59-12:00": nonsense,
        "0001-01-01T00:00:00Z": "It lies before 1900. Leave the time out if unknown.",
        "0001-01-01T00:00:00+05:00": nonsense,
    }
    assert outcomes(normalise.moment, expected) == expected  # fmt: skip
    assert refused(normalise.moment, (*JUNK, 1767607200)) == [*JUNK, 1767607200]


def test_what_happened_did_not_happen_before_anybody_kept_such_data():
    early = "It lies before 1990, as of a clock that was not set. Leave the time out if unknown."
    expected = {
        "1970-01-01T00:00:00Z": early,
        "1989-12-31T23:59:59Z": early,
        "1990-01-01T00:00:00Z": datetime(1990, 1, 1, tzinfo=UTC),
    }
    assert outcomes(normalise.event_moment, expected) == expected
    slow = timedelta(days=56 * 365)
    assert normalise.event_moment("1970-01-02T00:00:00Z", slow) == datetime(1970, 1, 2, tzinfo=UTC) + slow
    with pytest.raises(Invalid):
        normalise.event_moment("2026-01-02T00:00:00Z", -slow)


@given(st.datetimes(min_value=datetime(1901, 1, 1), timezones=st.timezones()))
def test_every_moment_written_by_a_program_is_read_as_it_was(written):
    assume(written.year < 9999 and written.utcoffset().total_seconds() % 60 == 0)
    assert normalise.moment(written.isoformat()) == written.astimezone(UTC)
