"""The identity graph as a picture: each MaestraID with the identifiers that came to it, and what joined them.

Laid out here, drawn by a template as SVG. Many identifiers of a kind become one chip with their number, so
that a profile with hundreds of them still fits on a page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.admin.contacts import ICONS, in_order
from customers.admin.profile_registry import ShownProfile
from customers.profile import Holding, Key, Member

WIDTH, MARGIN = 960, 16
NODE_X, NODE_WIDTH, NODE_HEIGHT = 96, 236, 96
CHIP_X, CHIP_WIDTH, CHIP_HEIGHT, CHIP_GAP = 404, 540, 30, 8
CHIPS_OF_A_KIND, NODES = 4, 12
CHIP_LETTERS, WHY_LETTERS = 52, 122
LETTER_WIDTH, CHIP_PADDING = 7, 36
BLOCK_GAP, LANE = 44, 18

Story = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Chip:
    """An identifier, or the number of `more` of its kind that are not drawn."""

    y: int
    icon: str
    label: str
    text: str
    title: str
    note: str = ""
    joined: bool = False
    former: bool = False
    more: int = 0

    @property
    def middle(self) -> int:
        return self.y + CHIP_HEIGHT // 2

    @property
    def width(self) -> int:
        """As wide as its text, guessed by its letters."""
        letters = len(self.label) + len(self.text) + len(self.note)
        return min(CHIP_WIDTH, CHIP_PADDING + LETTER_WIDTH * letters + (12 if self.note else 0))


@dataclass(frozen=True, slots=True)
class Node:
    """A MaestraID with its chips."""

    maestra_id: int
    y: int
    is_primary: bool
    registered_at: datetime
    facts: str
    chips: list[Chip]

    @property
    def middle(self) -> int:
        return self.y + NODE_HEIGHT // 2

    @property
    def bottom(self) -> int:
        return max(self.y + NODE_HEIGHT, *(chip.y + CHIP_HEIGHT for chip in self.chips), 0)

    def wire(self, chip: Chip) -> str:
        """The line from the MaestraID to an identifier."""
        start, end = NODE_X + NODE_WIDTH, CHIP_X
        bend = (start + end) // 2
        return f"M{start} {self.middle} C{bend} {self.middle} {bend} {chip.middle} {end} {chip.middle}"

    @property
    def wires(self) -> list[tuple[str, bool]]:
        return [(self.wire(chip), chip.joined) for chip in self.chips]


@dataclass(frozen=True, slots=True)
class MergeLine:
    """A line from a merged MaestraID to the one it was merged into, with the reason."""

    maestra_id: int
    path: str
    at: str
    text: str
    title: str
    y: int


@dataclass(slots=True)
class Picture:
    nodes: list[Node] = field(default_factory=list)
    merges: list[MergeLine] = field(default_factory=list)
    hidden: int = 0
    height: int = 0
    width: int = WIDTH
    node_x: int = NODE_X
    node_width: int = NODE_WIDTH
    node_height: int = NODE_HEIGHT
    chip_x: int = CHIP_X
    chip_height: int = CHIP_HEIGHT


def drawn(shown: ShownProfile, story: Story) -> Picture:
    """The picture of a profile; `story` are its merges and joins, the oldest first."""
    merges = {entry["related_maestra_id"]: entry for entry in story if entry["kind"] == "merged"}
    joined = matched_keys(story)
    members = _in_order(shown)
    picture = Picture(hidden=max(0, len(members) - NODES))
    y = MARGIN
    for member in members[:NODES]:
        is_primary = member.maestra_id == shown.maestra_id
        why = None if is_primary else merges.get(member.maestra_id)
        node = _node(shown, member, y + (LANE if why else 0), joined)
        picture.nodes.append(node)
        if not is_primary:
            picture.merges.append(_merge(picture, node, why, y + LANE - 8))
        y = node.bottom + BLOCK_GAP
    picture.height = y - BLOCK_GAP + MARGIN
    return picture


def matched_keys(story: Story) -> frozenset[Key]:
    """The values that joined something, as they are shown."""
    named = (value for entry in story for value in entry["data"].get("matched", ()))
    return frozenset(Key(value["type"], value["value"]) for value in named)


def _in_order(shown: ShownProfile) -> list[Member]:
    """The primary MaestraID, then the others by age."""
    return sorted(
        shown.profile.members,
        key=lambda m: (m.maestra_id != shown.maestra_id, m.registered_at, m.maestra_id),
    )


def _node(shown: ShownProfile, member: Member, y: int, joined: Collection[Key]) -> Node:
    held = [h for h in shown.profile.holdings.values() if h.origin == member.maestra_id]
    chips = list(_chips(shown, held, y, joined))
    return Node(
        member.maestra_id,
        y,
        member.maestra_id == shown.maestra_id,
        member.registered_at,
        _facts(member),
        chips,
    )


def _facts(member: Member) -> str:
    """What is recorded under a MaestraID for good (R39)."""
    said = []
    if member.orders_count:
        said.append(ngettext("%d order", "%d orders", member.orders_count) % member.orders_count)
    if member.points_count:
        said.append(_("%s points") % f"{member.points_balance.normalize():f}")
    return " · ".join(said) or _("no orders")


def _chips(shown: ShownProfile, held: Iterable[Holding], y: int, joined: Collection[Key]) -> Iterable[Chip]:
    for kind, group in groupby(in_order(held), key=lambda h: h.kind):
        # What matched is what readers look for: it is never folded away.
        members = sorted(group, key=lambda h: _shown_key(shown, h) not in joined)
        visible = members if len(members) <= CHIPS_OF_A_KIND + 1 else members[:CHIPS_OF_A_KIND]
        for h in visible:
            yield _chip(shown, h, y, joined)
            y += CHIP_HEIGHT + CHIP_GAP
        if hidden := len(members) - len(visible):
            text = ngettext("and %d more", "and %d more", hidden) % hidden
            label = shown.config.labels[kind]
            yield Chip(y, ICONS[members[0].category], label, text, f"{label}: {text}", more=hidden)
            y += CHIP_HEIGHT + CHIP_GAP


def _shown_key(shown: ShownProfile, h: Holding) -> Key:
    return Key(h.kind, shown.masking.value(h.kind, h.value))


def _chip(shown: ShownProfile, h: Holding, y: int, joined: Collection[Key]) -> Chip:
    label, value = shown.config.labels[h.kind], shown.masking.value(h.kind, h.value)
    is_joined = _shown_key(shown, h) in joined
    note = _("matched") if is_joined else _("former") if h.is_former else ""
    text = cut(value, CHIP_LETTERS - len(label))
    title = f"{label}: {value} {note}".strip()
    return Chip(y, ICONS[h.category], label, text, title, note, joined=is_joined, former=h.is_former)


def _merge(picture: Picture, node: Node, entry: Mapping[str, Any] | None, text_y: int) -> MergeLine:
    """Along the left edge, each line in a lane of its own, up to the MaestraID it was merged into."""
    first = picture.nodes[0]
    lane = NODE_X - 20 - 12 * min(len(picture.merges), 5)
    path = f"M{NODE_X} {node.middle} H{lane} V{first.middle} H{NODE_X - 6}"
    if entry is None:
        return MergeLine(node.maestra_id, path, "", _("merged earlier"), _("merged earlier"), text_y)
    because = entry["sentence"]
    return MergeLine(node.maestra_id, path, entry["at"], cut(because, WHY_LETTERS), because, text_y)


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
