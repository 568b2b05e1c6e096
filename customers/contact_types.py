"""The types of contact there are: e-mail, mobile phone and discount card, each described in one place.

What the code knows of a type of contact stands in this table, and the flags of integration points, the keys
of the API, the columns of files, the pages, masks and conditions are made from it. Pure, like
`customers.profile`, whose `Category` gives a type its place among the identifiers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from customers.profile import CONTACTS, WITH_PRIMARY, Category
from customers.texts import gettext_noop

DOTS = "•••"


def masked_address(value: str) -> str:
    """`a•••@e•••.com`: the same length for every value, so that it tells nothing either."""
    name, _, domain = value.rpartition("@")
    host, _, top = domain.rpartition(".")
    return f"{name[:1]}{DOTS}@{host[:1]}{DOTS}.{top}"


def masked_number(value: str) -> str:
    """`+1•••22`; a short value is masked whole."""
    return f"{value[:2]}{DOTS}{value[-2:]}" if len(value) > 6 else DOTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactType:
    """A type of contact. Its stored name and its key in the API are those of its category.

    `kind_id` is its row among the identifier kinds, made by a migration. `plural` is the key of its values in
    a profile. `label`, `with_article` and `in_errors` are its names in texts for people; `icon` is a name in
    Material Symbols. `reached_by` are the channels by which such a contact is reached (R53). `confirmed_by`
    is what is sent to confirm it, a `link` or a `code`, or None where nothing can be sent (R45). `spellings`
    are names of columns of files by which it is recognised, `vague_spellings` those by which it is where no
    column has one of the others. `mask` makes of a value what readers see who may
    not see contacts.
    """

    category: Category
    kind_id: int
    plural: str
    label: str
    with_article: str
    in_errors: str
    icon: str
    reached_by: tuple[str, ...]
    confirmed_by: str | None
    spellings: tuple[str, ...]
    vague_spellings: tuple[str, ...] = ()
    mask: Callable[[str], str]

    @property
    def name(self) -> str:
        return self.category.value

    @property
    def has_primary(self) -> bool:
        """Whether one of several values is the primary one (R7)."""
        return self.category in WITH_PRIMARY


CONTACT_TYPES: tuple[ContactType, ...] = (
    ContactType(
        category=Category.EMAIL,
        kind_id=1,
        plural="emails",
        label=gettext_noop("E-mail"),
        with_article=gettext_noop("an e-mail"),
        in_errors=gettext_noop("e-mail"),
        icon="mail",
        reached_by=("email",),
        confirmed_by="link",
        spellings=(
            "email",
            "emailaddress",
            "mail",
            "mailaddress",
            "eaddress",
            "emailadresse",
            "primaryemail",
        ),
        mask=masked_address,
    ),
    ContactType(
        category=Category.MOBILE_PHONE,
        kind_id=2,
        plural="mobile_phones",
        label=gettext_noop("Mobile phone"),
        with_article=gettext_noop("a mobile phone"),
        in_errors=gettext_noop("mobile phone"),
        icon="call",
        reached_by=("sms", "viber", "call"),
        confirmed_by="code",
        spellings=(
            *("mobilephone", "mobile", "mobilephonenumber", "mobilenumber", "phonemobile", "msisdn"),
            *("cellphone", "cell", "cellular", "cellphonenumber", "cellnumber", "smsnumber", "smsphone"),
            *("handy", "handynummer", "mobil", "mobilnummer", "mobiltelefon", "mobilfunk", "whatsapp"),
        ),
        # Of an office or a home, a phone is shared.
        vague_spellings=(
            *("phone", "phonenumber", "telephone", "telephonenumber", "tel", "telno", "telefon"),
            *("telefonnummer", "telefono", "contactphone", "primaryphone"),
        ),
        mask=masked_number,
    ),
    ContactType(
        category=Category.DISCOUNT_CARD,
        kind_id=3,
        plural="discount_cards",
        label=gettext_noop("Discount card"),
        with_article=gettext_noop("a discount card"),
        in_errors=gettext_noop("card"),
        icon="loyalty",
        reached_by=(),
        confirmed_by=None,
        spellings=("discountcard", "card", "cardnumber", "loyaltycard", "bonuscard", "clubcard"),
        mask=masked_number,
    ),
)
"""The strongest first, as in matching (R22)."""
CONTACT_NAMES: tuple[str, ...] = tuple(type_.name for type_ in CONTACT_TYPES)
BY_NAME: Mapping[str, ContactType] = {type_.name: type_ for type_ in CONTACT_TYPES}

assert {type_.category for type_ in CONTACT_TYPES} == CONTACTS
