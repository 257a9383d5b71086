"""Python's cycle collector, paused while a graph is built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 20_000
"""Number of new objects that indicates a graph."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause the cycle collector, since a graph has no cycles.

    It would look at all objects again and again while they are made: with 50,000 nodes 40 % of the
    time, and 50 ms at once, for which a window would have to wait. Nor does it look at what was
    made any more, once that is much: with the next full collection it would do so in any thread.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > _MANY:
            gc.freeze()
        if was_enabled:
            gc.enable()
