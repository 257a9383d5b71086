"""Python's collector of cycles, held back while a graph is made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector of cycles, of which a graph has none.

    It would look at all objects again and again while they are made: with 50,000 nodes 40 % of the
    time, and 50 ms at once, for which a window would have to wait.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
