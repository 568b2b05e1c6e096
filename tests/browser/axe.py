"""What axe-core finds wrong with a page for people who do not see, hear or point like others."""

from functools import cache
from importlib.resources import files
from typing import Literal

from playwright.sync_api import Page

RUN = "async () => (await axe.run(document, {elementRef: false, resultTypes: ['violations']})).violations"
HEADINGS = "[...document.querySelectorAll('h1')].filter((heading) => heading.checkVisibility()).length"
# Each width and each scheme once: what is wrong with one of them is mostly wrong with it in both.
LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (400, "dark"))
SERIOUS = ("serious", "critical")


@cache
def source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text()


def findings(page: Page) -> list[str]:
    """The serious findings, each with where it is."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(source())
    return [
        f"{found['id']}: {node['html'][:150]}"
        for found in page.evaluate(RUN)
        if found["impact"] in SERIOUS
        for node in found["nodes"]
    ]


def faults(page: Page, *addresses: str) -> dict[str, list[str]]:
    """What is wrong with pages at any width and in either colour scheme, by address, width and scheme."""
    found = {}
    for address in addresses:
        page.goto(address)
        for width, scheme in LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            headed = page.evaluate(HEADINGS) == 1
            own = ["wider than the window"] * wide + ["not one heading of the first level"] * (not headed)
            found[f"{address} {width} {scheme}"] = findings(page) + own
    return {where: said for where, said in found.items() if said}
