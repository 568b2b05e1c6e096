"""What a page says by its marks, so that tests hold whatever its sentences are.

The templates mark facts by `data-` attributes: `<li data-veto="different_emails">`.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})


class Element:
    """An element of a page, with the text in it."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element] = []
        self.pieces: list[str | Element] = []

    def __getitem__(self, name: str) -> str:
        """The value of a mark: `element["veto"]`."""
        return self.attributes[f"data-{name.replace('_', '-')}"]

    @property
    def text(self) -> str:
        """In one line."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for piece in self.pieces:
            if isinstance(piece, str):
                yield piece
            elif piece.tag not in ("script", "style"):
                yield from piece._texts()
                yield " "

    def all(self, **marks: Any) -> list[Element]:
        """Those below it that have the marks, in the order of the page. True: with any value."""
        wanted = {f"data-{name.replace('_', '-')}": value for name, value in marks.items()}
        return [element for element in self.below() if element.has(wanted)]

    def one(self, **marks: Any) -> Element:
        (found,) = self.all(**marks)
        return found

    def values(self, mark: str) -> list[str]:
        """The values of a mark, in the order of the page."""
        return [element[mark] for element in self.all(**{mark: True})]

    def has(self, wanted: dict[str, Any]) -> bool:
        return all(
            name in self.attributes and (value is True or self.attributes[name] == str(value))
            for name, value in wanted.items()
        )

    def below(self) -> Iterator[Element]:
        for child in self.children:
            yield child
            yield from child.below()

    @property
    def links(self) -> list[str]:
        return [e.attributes["href"] for e in self.below() if e.tag == "a" and "href" in e.attributes]

    @property
    def buttons(self) -> set[tuple[str, str]]:
        """Name and value of the buttons that have them."""
        named = (e.attributes for e in self.below() if e.tag == "button" and "name" in e.attributes)
        return {(attributes["name"], attributes.get("value", "")) for attributes in named}

    @property
    def posts_to(self) -> list[str]:
        """Where the forms of the page send to."""
        forms = (e.attributes for e in self.below() if e.tag == "form")
        return [form["action"] for form in forms if form.get("method") == "post" and "action" in form]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        self.open[-1].pieces.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        tags = [element.tag for element in self.open]
        if tag in tags[1:]:
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].pieces.append(data)


def page(answer: Any) -> Element:
    """What an answer, or the text of a page, shows."""
    text = answer if isinstance(answer, str) else answer.content.decode()
    builder = _Builder()
    builder.feed(text)
    builder.close()
    return builder.root
