"""The garbage collector of a process that does the same work again and again."""

import gc

NEW_OBJECTS = 100_000
"""How many make a collection worthwhile: of those that a request or a chunk makes, hardly any outlives it."""


def freeze_gc() -> None:
    """To be called when all is loaded: that stays, so the collector shall not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
