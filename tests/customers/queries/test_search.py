"""Finding customers by words of their names and by parts of their contacts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Identifier
from customers.presentation.masking import UNMASKED, MaskingPolicy
from customers.privacy.erasure import erase
from customers.queries import search
from customers.queries.search import CustomerSearch
from customers.setup.project_config import project_config
from dedup.demo.story import PAUL

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("opened_shop")]

MASKED = MaskingPolicy(lifted=False)
NAMES = ("last_name", "first_name", "middle_name")


def found(text: str, masking: MaskingPolicy = UNMASKED) -> set[int]:
    customers = CustomerSearch(text, project_config(), masking).among(Customer.objects.filter(is_head=True))
    return set(customers.values_list("pk", flat=True))


def paul() -> Customer:
    return Customer.objects.get(identifiers__value=PAUL)


def name_paul(last: str | None, first: str | None = None, middle: str | None = None) -> int:
    """Paul's MaestraID, under another name."""
    Customer.objects.filter(pk=paul().pk).update(last_name=last, first_name=first, middle_name=middle)
    return paul().pk


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        (
            ("Muñoz Serrano", "Ana María", "Luz"),
            (
                *("Ana María Muñoz", "ana maria luz munoz serrano", "Serrano", "María", "Luz Serrano A"),
                *("Muñoz Serrano, Ana María", "  ana   serrano  ", "MUÑOZ", "Mun\u0303oz", "An Ma Lu Mu Se"),
            ),
        ),
        (
            ("Müller", "Jörg"),
            ("Müller, Jörg", "Jörg  Müller", "Mu\u0308ller", "Muller", "jorg mul", "MÜLLER"),
        ),
        (("Muller", "Jose"), ("Müller", "José", "Jose\u0301 Müller")),
        (("O'Neil", "Sean"), ("O’Neil", "o`neil", "oneil", "Neil", "Sean O Neil", "O\u02bcNeil, Sean")),
        (("D’Arc", "Jeanne"), ("d'arc", "darc", "D Arc", "arc jeanne")),
        (("Müller-Lüdenscheidt", "Anne-Marie"), ("ludenscheidt", "Anne-Marie Muller-Lud", "marie mul")),
        (("Straße", "İbrahim"), ("strasse", "STRASSE", "STRAẞE", "ibrahim", "İBRAHİM", "Ibrahim")),
        (("Łęcki", "Bjørn"), ("lecki", "bjorn", "ŁĘCKI", "BJØRN")),
        (("Παπαδόπουλος", "Νίκος"), ("ΠΑΠΑΔΟΠΟΥΛΟΣ", "νικοσ", "ΝΊΚΟΣ παπαδοπουλος")),
        (("Йосифов", "Фёдор"), ("ЙОСИФОВ", "федор", "иосифов фёд")),
        (("\uff2d\uff55\uff52\uff41\uff54\uff41", "がく"), ("murata", "か\u3099く")),
        (("\ufdfa" * 255, "x" * 255), ("x" * 255, "\ufdfa", "X")),
        (("100%_Peter", "\\'\"&|!:*"), ("100%_p", "Peter")),
    ],
)
def test_whatever_a_page_shows_as_a_name_finds_the_customer(
    names: tuple[str, ...], texts: tuple[str, ...]
) -> None:
    maestra_id = name_paul(*names)
    for text in (" ".join(names[1:] + names[:1]), " ".join(names), *texts):
        assert maestra_id in found(text), text


def test_every_word_begins_another_word_of_the_name() -> None:
    maestra_id = name_paul("Muñoz Serrano", "Ana María")
    for text in (
        "Serrano Se", "Ana An M", "noz", "Ana Meyer", "Ana Maríana", "Serranos",
        "%", "'", "-", "a:*|b", "\u0303",
    ):  # fmt: skip
        assert maestra_id not in found(text), text


def test_names_are_found_as_soon_as_they_are_stored_and_no_longer_than_that() -> None:
    maestra_id = name_paul("Zöe")
    assert found("zoe") == {maestra_id}
    erase(maestra_id, actor="test")
    assert found("zoe") == set()


def test_the_index_of_names_is_written_without_a_search_path() -> None:
    maestra_id = paul().pk
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path = ''")
        cursor.execute("UPDATE public.customers_customer SET last_name = 'D’Zöe' WHERE id = %s", [maestra_id])
        cursor.execute("SET LOCAL search_path = DEFAULT")
    assert found("zoe") == {maestra_id}


@pytest.mark.parametrize("text", ["0122", "555-0122", "(415) 555 0122", "4155550122"])
def test_the_last_digits_of_a_phone_find_its_holder(text: str) -> None:
    assert found(text) == {paul().pk}


@pytest.mark.parametrize("text", ["122", "9122", "415555", "x0122"])
def test_other_digits_of_a_phone_find_nobody(text: str) -> None:
    assert paul().pk not in found(text)


def test_the_beginning_and_the_domain_of_an_address_find_its_holder() -> None:
    maestra_id = name_paul(None)
    Identifier.objects.filter(value=PAUL).update(value="p.o'peterson@xn--mller-kva.example")
    for text in ("p.o", "P.O'Pet", "p.o'peterson@xn", "@müller.example", "MÜLLER.example"):
        assert found(text) == {maestra_id}, text
    for text in ("p.", "peterson@", "ller.example", "example", "@example"):
        assert maestra_id not in found(text), text


def test_parts_of_contacts_find_nobody_for_who_may_not_see_contacts() -> None:
    maestra_id = name_paul(None)
    for text in ("0122", PAUL[:6], PAUL.partition("@")[2]):
        assert maestra_id in found(text), text
        assert found(text, MASKED) == set(), text
    assert found(PAUL, MASKED) == {maestra_id}


def test_a_maestra_id_is_no_part_of_a_phone() -> None:
    customer = Customer.objects.order_by("-pk")[0]
    Customer.objects.bulk_create(
        [Customer(pk=5_550_122, profile_id=5_550_122, registered_at=customer.registered_at)]
    )
    assert found("5550122") == {5_550_122}
    assert found("05550122") == set()


def test_whoever_too_many_are_like_is_found_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ("peterson", "pet", "paul peterson", "linda p", "pa", "nobody", "0122", "example.com", "evan")
    few = [found(text) for text in texts]
    monkeypatch.setattr(search, "MANY", 0)
    assert [found(text) for text in texts] == few
    assert [len(found) for found in few[:7]] == [2, 2, 1, 1, 1, 0, 1]
    assert len(few[7]) > 2


def test_every_way_to_search_goes_by_index() -> None:
    with CaptureQueriesContext(connection) as queries:
        for text in ("peterson paul", "peterson", "example.com", "0122"):
            found(text)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = []
        for query in queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plans += [line for (line,) in cursor.fetchall()]
    text = "\n".join(plans)
    for index in ("customer_name_words", "identifier_email_domain", "identifier_phone_ending"):
        assert index in text
    assert "Seq Scan" not in text
