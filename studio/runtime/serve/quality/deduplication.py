"""Which requests say something that those before did not.

A camera that looks at one scene sends the same picture again and again, and a health check the same
numbers. Whatever two versions answer to it, they answer each time: a hundred such answers are one
observation. A rule that takes them for a hundred would take a version back for a single picture.
"""

from __future__ import annotations

import hashlib
from collections import deque
from typing import Deque, Dict, Mapping, NamedTuple, Union

import numpy as np

REMEMBERED = 16
ALIKE = 0.15
"""Root mean square of a difference, in standard deviations of what differs: noise of a sensor is
less, something that moves in three hundredths of a picture is more."""
LARGE = 256
"""Elements from which an input is a signal that has noise; a smaller one counts as the same when
all of it is."""


class Signal(NamedTuple):
    """Some elements of a large input, and their standard deviation."""

    values: np.ndarray
    spread: float


Sketch = Union[Signal, bytes]


class Deduplicator:
    """Remembers a few inputs, each by some of its elements."""

    def __init__(self) -> None:
        self._seen: Deque[Dict[str, Sketch]] = deque(maxlen=REMEMBERED)

    def add(self, inputs: Mapping[str, np.ndarray]) -> bool:
        """Add inputs; return whether they are unlike all that are stored."""
        sketch = {name: _sketch(array) for name, array in inputs.items()}
        if any(_alike(sketch, one) for one in self._seen):
            return False
        self._seen.append(sketch)
        return True


def _sketch(array: np.ndarray) -> Sketch:
    if array.dtype.kind in "fiu" and array.size >= LARGE:
        flat = array.reshape(-1)
        places = np.linspace(0, flat.size - 1, LARGE).astype(np.int64)
        values = flat[places].astype(np.float32)
        return Signal(values, float(values.std()))
    content = repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes()
    return hashlib.blake2b(content, digest_size=16, key=str(array.shape).encode()[:64]).digest()


def _alike(one: Mapping[str, Sketch], other: Mapping[str, Sketch]) -> bool:
    return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)


def _same(one: Sketch, other: Sketch) -> bool:
    if isinstance(one, bytes) or isinstance(other, bytes):
        return isinstance(one, bytes) and isinstance(other, bytes) and one == other
    change = one.values - other.values
    gap = float(np.sqrt(change @ change / LARGE))
    return gap <= ALIKE * (one.spread + other.spread) / 2.0  # no numbers: false, they are new
