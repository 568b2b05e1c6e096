"""In which encoding a text file is: told by its byte order mark, by UTF-8 being hard to hit by chance, and
else by which code page makes words of the languages it is for.

General detectors need running text and do badly on names and addresses, where accented letters are few.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

UTF_8, UTF_8_WITH_MARK = "utf-8", "utf-8-sig"

_MARKS = (
    (codecs.BOM_UTF8, UTF_8_WITH_MARK),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

CHOICES: Mapping[str, str] = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
    "cp1257": "Windows-1257",
    "cp1258": "Windows-1258",
    "iso8859-1": "ISO 8859-1",
    "iso8859-2": "ISO 8859-2",
    "iso8859-15": "ISO 8859-15",
    "koi8-r": "KOI8-R",
    "koi8-u": "KOI8-U",
    "cp437": "DOS 437",
    "cp850": "DOS 850",
    "cp852": "DOS 852",
    "cp866": "DOS 866",
    "mac-roman": "Mac Roman",
    "shift_jis": "Shift JIS",
    "cp932": "Windows-932",
    "gbk": "GBK",
    "gb18030": "GB 18030",
    "big5": "Big5",
    "euc_kr": "EUC-KR",
    "cp949": "Windows-949",
    "euc_jp": "EUC-JP",
}
"""The encodings that can be set, with their names for people."""


def known(name: str) -> str | None:
    """The encoding that somebody named, as `CHOICES` calls it."""
    try:
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return None
    found = {"ascii": UTF_8, UTF_8_WITH_MARK: UTF_8}.get(found, found)
    return found if found in CHOICES else None


def unknown() -> str:
    return str(_("There is no encoding of this name. Use for example utf-8 or cp1252."))


def label(encoding: str) -> str:
    return CHOICES.get(encoding, encoding.upper())


def by_mark(head: bytes) -> str | None:
    """The encoding that a byte order mark tells."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)


def by_zeros(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of delimiters, digits and plain letters is zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most, encoding = (odd, "utf-16-le") if odd > even else (even, "utf-16-be")
    if most * 20 < len(head) // 2 or min(even, odd) * 10 > most:
        return None
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None
    return encoding if "\n" in text or "\r" in text else None


_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_WORDS_LIMIT = 5000


@dataclass(slots=True)
class Evidence:
    """What the bytes of a file say for or against UTF-8, and its words with other letters than ASCII."""

    good: int = 0
    bad: int = 0
    words: set[bytes] = field(default_factory=set)

    def encoding(self) -> str:
        """A byte that is no UTF-8 here and there is a damaged row; where most are, it is a code page."""
        return UTF_8 if self.good >= 5 * self.bad else _code_page(self.words)


def gather(blocks: Iterable[bytes]) -> Evidence:
    evidence = Evidence()
    decoder = codecs.getincrementaldecoder(UTF_8)(errors="replace")
    for block in blocks:
        text = decoder.decode(block)
        if block.isascii():
            continue
        bad = text.count("\ufffd")
        evidence.bad += bad
        evidence.good += len(re.findall(r"[^\x00-\x7f]", text)) - bad
        if len(evidence.words) < _WORDS_LIMIT:
            evidence.words.update(word for word in _WORD.findall(block) if len(word) < 40)
    return evidence


@dataclass(frozen=True, slots=True)
class _Language:
    """The letters of a language besides the plain Latin ones, or, where its `vowels` are told, instead of
    them: Greek and Cyrillic letters have the same bytes, but a Greek word read as Cyrillic cannot be spoken.
    """

    page: str
    letters: frozenset[str]
    vowels: frozenset[str] = frozenset()

    def covers(self, word: str) -> bool:
        special = [letter for letter in word if letter > "\x7f" and letter not in _PUNCTUATION]
        if not self.letters.issuperset(special):
            return False
        if not self.vowels:
            return len(special) * 2 <= len(word) + 1
        spoken = sum(letter in self.vowels for letter in word)
        return spoken * 4 >= len(word) and not any("a" <= letter <= "z" for letter in word)


_PUNCTUATION = frozenset("’‘“”„–—…«»°©®™€ \xa0№")


def _latin(page: str, *alphabets: str) -> list[_Language]:
    return [_Language(page, frozenset(letters)) for letters in alphabets]


# German, French, Spanish, Portuguese, Italian, Danish, Swedish, Dutch.
_WESTERN = (
    *("äöüß", "àâæçèéêëîïôœùûü", "áéíñóúü", "áâãàçéêíóôõú", "àèéìíòóùú"),
    *("æøåéüö", "åäöéü", "áéëïóöü"),
)
_LANGUAGES = (
    # Those, and Icelandic.
    *_latin("cp1252", *_WESTERN, "áéíóúýþæöð"),
    # Polish, Czech, Slovak, Hungarian, Croatian and Slovene, Romanian.
    *_latin("cp1250", "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîşţ"),
    *_latin("cp1254", "çğıi̇öşüâ"),
    # Lithuanian, Latvian, Estonian.
    *_latin("cp1257", "ąčęėįšųūž", "āčēģīķļņšūž", "äöõüšž"),
    *_latin("mac-roman", *_WESTERN),
    _Language("cp1251", frozenset("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґ"), frozenset("аеёиіоуыэюяїє")),
    _Language("cp1253", frozenset("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"), frozenset("αεηιουωάέήίόύώ")),
)
_PAGES = tuple(dict.fromkeys(language.page for language in _LANGUAGES))


def _code_page(words: Iterable[bytes]) -> str:
    """The page under which most words are words of a language that the whole file is in; of two that do as
    well, the earlier.
    """
    listed = sorted(words)
    return max(_PAGES, key=lambda page: _likelihood(page, listed))


def _likelihood(page: str, words: Iterable[bytes]) -> float:
    decoded = [word.decode(page, errors="replace") for word in words]
    texts = ["\ufffd" if _is_oddly_capitalised(text) else text.lower() for text in decoded]
    covered = [
        {at for at, text in enumerate(texts) if language.covers(text)}
        for language in _LANGUAGES
        if language.page == page
    ]
    covered.sort(key=len, reverse=True)
    seen: set[int] = set()
    total = 0
    for words_of_language in covered:
        total += len(words_of_language - seen) * len(words_of_language)
        seen |= words_of_language
    return float(total)


def _is_oddly_capitalised(text: str) -> bool:
    """Whether a special letter within it is a capital among small ones, as in MŸller: a Müller of the Mac."""
    return any(letter > "\x7f" and letter.isupper() for letter in text[1:]) and not text.isupper()
