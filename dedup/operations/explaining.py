"""Why two customers are one, or are not."""

from __future__ import annotations

from collections.abc import Mapping

from customers.history.reading import history
from customers.presentation.customer import Json
from customers.presentation.masking import UNMASKED, MaskingPolicy
from customers.profile import DEVICES, MAESTRA_ID, Key
from dedup.engine.explain import Explanation
from dedup.engine.explain import explain as explain_pair
from dedup.operations.base import Caller
from dedup.operations.lookups import find_customer
from dedup.storage.loading import load, wanted_keys

WHAT_MAKES_ONE = ("merged", "joined", "unmerged")


def explain(caller: Caller, left: Key, right: Key) -> Explanation:
    """Why two customers are one, or are not, and what would have to change.

    Raises `customer_not_found`. The world is read twice: what matters for the two by their devices is only
    known once they are found. They may have become one, or been erased, in between.
    """
    config = caller.config
    loaded = load(wanted_keys([left, right], caller.point.gives_access), config, lock=False)
    a, b = find_customer(loaded, left, caller), find_customer(loaded, right, caller)
    devices = [k for p in (a, b) for k, h in p.holdings.items() if h.category in DEVICES]
    primary_ids = [Key(MAESTRA_ID, str(p.maestra_id)) for p in (a, b)]
    loaded = load(wanted_keys([*primary_ids, *devices]), config, lock=False)
    a, b = (find_customer(loaded, key, caller) for key in primary_ids)
    return explain_pair(
        loaded.world, a.maestra_id, b.maestra_id, lambda k: config.block_list.blocks(k.kind, k.value, k.value)
    )


def became_one(
    explanation: Explanation, labels: Mapping[str, str], masking: MaskingPolicy = UNMASKED
) -> list[Json]:
    """Of two that are one customer, the latest history entries that say why: what was merged, and undone, and
    which records joined (R41).
    """
    if not explanation.same:
        return []
    maestra_ids = sorted(explanation.left.maestra_ids)
    return history(maestra_ids, labels=labels, kinds=WHAT_MAKES_ONE, masking=masking).items
