"""Numbers of a frame: of its inputs brightness and the like, of its outputs confidence.

A request only copies what the numbers are made of, a few microseconds; they are made for a block
of frames at once.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .reference import Tap

STRIP = 16
"""Neighbours that are taken together: what tells sharpness."""
STRIPS = 64
_TINY = 1e-12

Numbers = Tuple[np.ndarray, ...]


def _spread_and_edges(block: np.ndarray) -> Numbers:
    """Mean, standard deviation and mean difference of neighbours of the strips."""
    mean = block.mean(axis=1)
    spread = np.sqrt(np.maximum(np.square(block).mean(axis=1) - mean * mean, 0.0))
    strips = block.reshape(len(block), -1, min(STRIP, block.shape[1]))
    edges = np.abs(np.diff(strips, axis=2)).mean(axis=(1, 2)) if strips.shape[2] > 1 else spread
    return mean, spread, edges


def _certainty(shares: np.ndarray) -> Numbers:
    """Confidence, margin and entropy of rows of probabilities (frames x rows x classes)."""
    top = np.partition(shares, -2, axis=2)[:, :, -2:]
    entropy = -(shares * np.log(np.maximum(shares, _TINY))).sum(axis=2)
    return top[:, :, 1].mean(axis=1), (top[:, :, 1] - top[:, :, 0]).mean(axis=1), entropy.mean(1)


def _of_probabilities(block: np.ndarray) -> Numbers:
    return _certainty(block)


def _of_logits(block: np.ndarray) -> Numbers:
    raised = np.exp(block - block.max(axis=2, keepdims=True))
    return _certainty(raised / raised.sum(axis=2, keepdims=True))


def _of_values(block: np.ndarray) -> Numbers:
    mean = block.mean(axis=1)
    return mean, np.sqrt(np.square(block - mean[:, None]).mean(axis=1)), block.max(axis=1)


def _of_peaks(block: np.ndarray) -> Numbers:
    return block.mean(axis=1), block.min(axis=1), block.std(axis=1)


def _height(block: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Where what differs from the mean lies, from 0 (top) to 1 (bottom).

    Args:
        heights: Of the elements of the block.
    """
    weights = np.abs(block - block.mean(axis=1, keepdims=True))
    total = weights.sum(axis=1)
    middle = np.full(len(block), 0.5)
    found: np.ndarray = np.divide(weights @ heights, total, out=middle, where=total > _TINY)
    return found


class Kind(NamedTuple):
    """A way to make numbers of a tensor.

    Attributes:
        names: Of the numbers.
        numbers: Makes them of a block: one array of frames each; a picture's height comes last.
        rows: The last axis is one of classes: whole rows are taken, so many elements at most.
    """

    names: Tuple[str, ...]
    numbers: Callable[[np.ndarray], Numbers]
    rows: int = 0


KINDS: Mapping[str, Kind] = {
    "picture": Kind(("brightness", "contrast", "sharpness", "height"), _spread_and_edges),
    "series": Kind(("mean", "spread", "roughness"), _spread_and_edges),
    "values": Kind(("mean", "spread", "largest"), _of_values),
    "probabilities": Kind(("confidence", "margin", "entropy"), _of_probabilities, 4096),
    "logits": Kind(("confidence", "margin", "entropy"), _of_logits, 4096),
    "peaks": Kind(("confidence", "weakest", "unevenness"), _of_peaks, 1 << 17),
}
MOST_CLASSES = KINDS["logits"].rows
"""With more classes only the largest of each row is looked at."""
AXIS = "axis "
"""In the names of the numbers along a tap's axes."""
_MOST_PEAKS = 8
_MOST_SIZES = 16
_ANY_SIZE = 1 << 20


def names_of(tap: Tap) -> List[str]:
    """Names of its signals."""
    axes = 0 if tap.axes is None else tap.axes.shape[1]
    names = (*KINDS[tap.kind].names, *(AXIS + str(number + 1) for number in range(axes)))
    return ["{}.{}".format(tap.name, name) for name in names]


class Sampler:
    """Copies of what the numbers of some frames are made of.

    Args:
        frames: Of a block.
    """

    def __init__(self, tap: Tap, frames: int) -> None:
        self.tap = tap
        self._kind = KINDS[tap.kind]
        self._size = int(np.prod(tap.shape, dtype=np.int64))  # 0: it differs
        self._places: Dict[int, np.ndarray] = {}
        self._count = len(self._choose(self._size)) if self._size else self._most()
        self._rows = np.zeros((frames, self._count), np.float32)
        self._heights = self._height_of_each()
        if tap.axes is not None and len(tap.axes) != self._count:
            raise ValueError("the axes of {!r} are of another size".format(tap.name))

    def take(self, place: int, frame: np.ndarray) -> None:
        """Copy what is needed of one frame into the block.

        Raises:
            ValueError: when the frame has a size that the reference data do not have.
        """
        size = frame.size
        if size != self._size and (self._size or not size):
            raise ValueError("the size of {!r} differs from theirs".format(self.tap.name))
        if self.tap.kind == "peaks":
            rows = frame.reshape(-1, frame.shape[-1])
            for number, row in enumerate(self._at(len(rows)).tolist()):
                self._rows[place, number] = rows[row].max()  # without a copy of all these rows
        elif size == self._count:
            self._rows[place] = frame.reshape(-1)
        else:
            self._rows[place] = frame.reshape(-1)[self._at(size)]

    def numbers(self, frames: int) -> Numbers:
        """The signals of the first frames of the block."""
        block = self.samples(frames)
        along = () if self.tap.axes is None else tuple((block @ self.tap.axes).T)
        if self.tap.kind == "picture":
            along = (_height(block, self._heights), *along)
        if self._kind.rows and self.tap.kind != "peaks":
            block = block.reshape(frames, -1, self.tap.shape[-1])
        return (*self._kind.numbers(block), *along)

    def samples(self, frames: int) -> np.ndarray:
        """What was copied of the first frames: frames x elements."""
        return self._rows[:frames]

    def _height_of_each(self) -> np.ndarray:
        """Where in the picture each sampled element lies; sizes that differ are alike in it."""
        if self.tap.kind != "picture":
            return np.zeros(0)
        size = self._size or _ANY_SIZE
        places = self._choose(size)
        planes = self.tap.shape[0] if self.tap.innermost == 1 else 1
        found: np.ndarray = (places / size * planes % 1.0).astype(np.float32)
        return found

    def _at(self, size: int) -> np.ndarray:
        """Positions for a size, kept for the sizes that come again."""
        found = self._places.get(size)
        if found is None:
            if len(self._places) >= _MOST_SIZES:
                self._places.clear()
            found = self._places[size] = self._choose(size)
        return found

    def _choose(self, size: int) -> np.ndarray:
        if self.tap.kind == "peaks":
            return np.linspace(0, size - 1, self._most()).astype(np.int64)
        if self._kind.rows:
            classes = self.tap.shape[-1]
            return _rows(size // classes, classes, self._most() // classes)
        return _strips(size, self.tap.innermost, None if self._size else STRIPS)

    def _most(self) -> int:
        """Elements that are taken where sizes differ."""
        if not self._kind.rows:
            return STRIPS * STRIP
        classes = self.tap.shape[-1]
        if self.tap.kind == "peaks":
            return max(1, min(_MOST_PEAKS, self._kind.rows // classes))
        rows = self._size // classes if self._size else self._kind.rows
        return classes * max(1, min(rows, self._kind.rows // classes))


def _strips(size: int, step: int, strips: Optional[int]) -> np.ndarray:
    """Positions of strips of neighbours, spread evenly over a frame's flattened elements.

    Args:
        step: From one neighbour to the next.
        strips: So many, also of a small frame; None: all of it when it is small.
    """
    length = STRIP * step
    if strips is None:
        if size <= STRIPS * STRIP or size < 2 * length:
            return np.arange(size - size % min(STRIP, size))
        strips = min(STRIPS, size // length)
    starts = np.linspace(0, max(size - length, 0), strips).astype(np.int64)
    places = (starts[:, None] + np.arange(STRIP)[None, :] * step).reshape(-1)
    found: np.ndarray = np.minimum(places, size - 1)
    return found


def _rows(rows: int, classes: int, count: int) -> np.ndarray:
    """Positions of some rows of classes, spread evenly."""
    chosen = np.linspace(0, rows - 1, count).astype(np.int64)
    places: np.ndarray = chosen[:, None] * classes + np.arange(classes)[None, :]
    return places.reshape(-1)


class Block:
    """A few frames, sampled one by one and turned into numbers together.

    Attributes:
        filled: Frames in it.
    """

    def __init__(self, taps: Sequence[Tap], frames: int) -> None:
        self._samplers = [Sampler(tap, frames) for tap in taps]
        self._frames = frames
        self.filled = 0

    @property
    def full(self) -> bool:
        """Whether no further frame has a place."""
        return self.filled == self._frames

    def add(
        self, row: int, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]
    ) -> None:
        """Sample one row of a request.

        Raises:
            ValueError: when it does not fit the reference; KeyError: when a tensor is missing.
        """
        for sampler in self._samplers:
            tap = sampler.tap
            arrays = inputs if tap.side == "input" else outputs
            sampler.take(self.filled, arrays[tap.name][row])
        self.filled += 1

    def numbers(self) -> np.ndarray:
        """Frames x signals; what is not a number counts as largest. Empties the block."""
        frames, self.filled = self.filled, 0
        columns = [column for one in self._samplers for column in one.numbers(frames)]
        found: np.ndarray = np.stack(columns, axis=1)
        found[np.isnan(found)] = np.inf
        return found


def bins_of(numbers: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The bin of each number: frames x signals.

    Args:
        edges: Upper edges, signals x (bins - 1); a number on an edge belongs below it.
    """
    found: np.ndarray = (numbers[:, :, None] > edges[None]).sum(axis=2)
    return found


def count(bins: np.ndarray, columns: int) -> np.ndarray:
    """How often each bin occurs: signals x bins."""
    signals = bins.shape[1]
    flat = (bins + np.arange(signals) * columns).reshape(-1)
    found: np.ndarray = np.bincount(flat, minlength=signals * columns)
    return found.reshape(signals, columns)
