"""Signals of a frame: brightness and similar of its inputs, confidence of its outputs.

A request only copies the elements that the signals need, a few microseconds; the signals are
computed for a block of frames at once.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .reference import Tap

STRIP = 16
"""Neighbours that are taken together: what tells sharpness."""
STRIPS = 32
"""Of a frame: as many as tell the reference data's faults, for each costs a look at memory."""
_WHOLE = 1024
"""Elements of a frame that is taken whole."""
_TINY = 1e-12

Numbers = Tuple[np.ndarray, ...]


def _mean(block: np.ndarray) -> np.ndarray:
    """Return the mean of each frame; numpy's own takes twice as long for a block of this size."""
    found: np.ndarray = np.add.reduce(block, axis=1) * np.float32(1.0 / block.shape[1])
    return found


class ProjectedSums:
    """Projections of an input: sums with weights that are computed once.

    Args:
        count: Elements that are sampled of a frame.
        heights: Vertical position of each in the picture; empty for other inputs.
    """

    def __init__(self, count: int, heights: np.ndarray) -> None:
        strip = min(STRIP, count)
        self._count = count
        self._even = np.full(count, 1.0 / count, np.float32)
        steps = np.ones(max(count - 1, 0), np.float32)
        steps[strip - 1 :: strip] = 0.0  # from one strip to the next: no neighbours
        self._steps = steps / max(float(steps.sum()), 1.0) if strip > 1 else None
        self._heights = np.stack([np.ones(count, np.float32), heights]).T if len(heights) else None

    def numbers(self, block: np.ndarray) -> Numbers:
        """Mean, standard deviation, mean difference of neighbours; of a picture its height."""
        mean = block @ self._even
        rest = block - mean[:, None]
        spread = np.sqrt(np.einsum("fe,fe->f", rest, rest) / np.float32(self._count))
        edges = spread
        if self._steps is not None:
            change = block[:, 1:] - block[:, :-1]
            edges = np.abs(change, out=change) @ self._steps
        if self._heights is None:
            return mean, spread, edges
        # Where what differs from the mean lies, from 0 (top) to 1 (bottom).
        total, moment = (np.abs(rest, out=rest) @ self._heights).T
        height = np.full(len(block), 0.5, np.float32)
        np.divide(moment, total, out=height, where=total > _TINY)
        return mean, spread, edges, height


def _certainty(shares: np.ndarray) -> Numbers:
    """Return confidence, margin and entropy of probabilities (frames x rows x classes)."""
    ordered = np.partition(shares, -2, axis=2)
    first, second = ordered[:, :, -1], ordered[:, :, -2]
    entropy = np.einsum("frc,frc->f", shares, np.log(np.maximum(shares, _TINY)))
    return _mean(first), _mean(first - second), entropy * np.float32(-1.0 / shares.shape[1])


def _of_probabilities(block: np.ndarray) -> Numbers:
    return _certainty(block)


def _of_logits(block: np.ndarray) -> Numbers:
    raised = np.exp(block - np.maximum.reduce(block, axis=2, keepdims=True))
    return _certainty(raised / np.add.reduce(raised, axis=2, keepdims=True))


def _of_values(block: np.ndarray) -> Numbers:
    mean = _mean(block)
    rest = block - mean[:, None]
    return mean, np.sqrt(_mean(rest * rest)), np.maximum.reduce(block, axis=1)


def _of_peaks(block: np.ndarray) -> Numbers:
    return block.mean(axis=1), block.min(axis=1), block.std(axis=1)


def _of_usual(block: np.ndarray) -> Numbers:
    """Return the same of the usual classes alone (frames x rows x classes)."""
    return _of_peaks(np.maximum.reduce(block, axis=2))


def _of_embedding(block: np.ndarray) -> Numbers:
    """Return each element as it is: along an axis that the model computed, or in a column."""
    return tuple(np.ascontiguousarray(block.T))


class SignalKind(NamedTuple):
    """Method to compute signals from a tensor.

    Attributes:
        names: Of the numbers.
        numbers: Makes them of a block: one array of frames each; None for a surface.
        rows: The last axis is one of classes: whole rows are taken, up to this many elements.
    """

    names: Tuple[str, ...]
    numbers: Optional[Callable[[np.ndarray], Numbers]]
    rows: int = 0


KINDS: Mapping[str, SignalKind] = {
    "picture": SignalKind(("brightness", "contrast", "sharpness", "height"), None),
    "series": SignalKind(("mean", "spread", "roughness"), None),
    "values": SignalKind(("mean", "spread", "largest"), _of_values),
    "probabilities": SignalKind(("confidence", "margin", "entropy"), _of_probabilities, 4096),
    "logits": SignalKind(("confidence", "margin", "entropy"), _of_logits, 4096),
    "peaks": SignalKind(("confidence", "weakest", "unevenness"), _of_peaks, 1 << 17),
    "usual": SignalKind(("confidence", "weakest", "unevenness"), _of_usual, 1 << 17),
    "embedding": SignalKind((), _of_embedding),
    "columns": SignalKind((), _of_embedding),
    "prompt": SignalKind(("length", "language"), _of_embedding),
    "answer": SignalKind(("length", "language", "cut"), _of_embedding),
}
MOST_CLASSES = KINDS["logits"].rows
"""With more classes only those are looked at that the reference data were answered with."""
MOST_USUAL = 64
AXIS = "axis "
"""In the names of the numbers along a tap's axes."""
_MOST_PEAKS = 8
_MOST_OF_USUAL = 4
_MOST_SIZES = 16
_ANY_SIZE = 1 << 20


def names_of(tap: Tap) -> List[str]:
    """Return the names of its signals."""
    if tap.kind == "embedding":
        return ["embedding.{}{}".format(AXIS, n + 1) for n in range(tap.shape[0])]
    if tap.kind == "columns":
        return list(tap.columns)
    axes = 0 if tap.axes is None else tap.axes.shape[1]
    names = (*KINDS[tap.kind].names, *(AXIS + str(number + 1) for number in range(axes)))
    return ["{}.{}".format(tap.name, name) for name in names]


class FrameSampler:
    """Copies of the elements from which the signals of some frames are computed.

    Args:
        frames: Of a block.
    """

    def __init__(self, tap: Tap, frames: int) -> None:
        if tap.kind not in KINDS or (tap.kind == "usual" and not tap.classes):
            raise ValueError("this runtime cannot look at {!r} as {!r}".format(tap.name, tap.kind))
        self.tap = tap
        self._kind = KINDS[tap.kind]
        self._size = int(np.prod(tap.shape, dtype=np.int64))  # 0: it differs
        self._places: Dict[int, np.ndarray] = {}
        self._count = len(self._choose(self._size)) if self._size else self._most()
        self._rows = np.zeros((frames, self._count), np.float32)
        self._views = list(self._rows)  # made once: an index costs as much as a small copy
        self._whole = tap.kind != "peaks" and self._size == self._count
        self._surface = ProjectedSums(self._count, self._height_of_each())
        if tap.axes is not None and len(tap.axes) != self._count:
            raise ValueError("the axes of {!r} are of another size".format(tap.name))

    def sample(self, place: int, frame: np.ndarray) -> None:
        """Copy what is needed of one frame into the block.

        Args:
            frame: With or without the axis of the batch, of size 1.

        Raises:
            ValueError: when the frame has a size that the reference data do not have.
        """
        size = frame.size
        if size != self._size and (self._size or not size):
            raise ValueError("the size of {!r} differs from theirs".format(self.tap.name))
        if self._whole:
            self._views[place][:] = frame.reshape(-1)
        elif self.tap.kind == "peaks":
            rows = frame.reshape(-1, frame.shape[-1])
            for number, row in enumerate(self._at(len(rows)).tolist()):
                self._rows[place, number] = rows[row].max()  # without a copy of all these rows
        elif frame.dtype == np.float32:
            # Every position exists: "clip" only spares numpy the copy that undoes an error.
            frame.reshape(-1).take(self._at(size), out=self._views[place], mode="clip")
        else:
            self._rows[place] = frame.reshape(-1)[self._at(size)]

    def numbers(self, frames: int) -> Numbers:
        """Return the signals of the first frames of the block."""
        block = self.samples(frames)
        along = () if self.tap.axes is None else tuple((block @ self.tap.axes).T)
        if self._kind.numbers is None:
            return (*self._surface.numbers(block), *along)
        if self._kind.rows and self.tap.kind != "peaks":
            classes = len(self.tap.classes) or self.tap.shape[-1]
            block = block.reshape(frames, -1, classes)
        return (*self._kind.numbers(block), *along)

    def samples(self, frames: int) -> np.ndarray:
        """Return the elements copied of the first frames: frames x elements."""
        return self._rows[:frames]

    def _height_of_each(self) -> np.ndarray:
        """Return the vertical position of each sampled element, which is relative to the size."""
        if self.tap.kind != "picture":
            return np.zeros(0)
        size = self._size or _ANY_SIZE
        places = self._choose(size)
        planes = self.tap.shape[0] if self.tap.innermost == 1 else 1
        found: np.ndarray = (places / size * planes % 1.0).astype(np.float32)
        return found

    def _at(self, size: int) -> np.ndarray:
        """Return the positions for a size; they are cached for sizes that come again."""
        found = self._places.get(size)
        if found is None:
            if len(self._places) >= _MOST_SIZES:
                self._places.clear()
            found = self._places[size] = self._choose(size)
        return found

    def _choose(self, size: int) -> np.ndarray:
        if self.tap.kind == "columns":
            return np.arange(size)
        if self.tap.kind == "peaks":
            return np.linspace(0, size - 1, self._most()).astype(np.int64)
        if self.tap.kind == "usual":
            return self._usual(size // self.tap.shape[-1])
        if self._kind.rows:
            classes = self.tap.shape[-1]
            return _rows(size // classes, classes, self._most() // classes)
        return _strips(size, self.tap.innermost, self.tap.strips, bool(self._size))

    def _usual(self, rows: int) -> np.ndarray:
        """Return positions of the usual classes in some rows, spread evenly."""
        chosen = np.linspace(0, rows - 1, _MOST_OF_USUAL).astype(np.int64)
        chosen *= self.tap.shape[-1]
        found: np.ndarray = chosen[:, None] + np.array(self.tap.classes, np.int64)
        return found.reshape(-1)

    def _most(self) -> int:
        """Return the number of elements that are taken where sizes differ."""
        if not self._kind.rows:
            return self.tap.strips * STRIP
        classes = self.tap.shape[-1]
        if self.tap.kind == "usual":
            return _MOST_OF_USUAL * len(self.tap.classes)
        if self.tap.kind == "peaks":
            return max(1, min(_MOST_PEAKS, self._kind.rows // classes))
        rows = self._size // classes if self._size else self._kind.rows
        return classes * max(1, min(rows, self._kind.rows // classes))


def _strips(size: int, step: int, strips: int, may_be_whole: bool) -> np.ndarray:
    """Return positions of strips of neighbours, spread evenly over a frame's flattened elements.

    Args:
        step: From one neighbour to the next.
        may_be_whole: All of a small frame is taken.
    """
    length = STRIP * step
    if may_be_whole:
        if size <= _WHOLE or size < 2 * length:
            return np.arange(size - size % min(STRIP, size))
        strips = min(strips, size // length)
    starts = np.linspace(0, max(size - length, 0), strips).astype(np.int64)
    places = (starts[:, None] + np.arange(STRIP)[None, :] * step).reshape(-1)
    found: np.ndarray = np.minimum(places, size - 1)
    return found


def _rows(rows: int, classes: int, count: int) -> np.ndarray:
    """Return positions of some rows of classes, spread evenly."""
    chosen = np.linspace(0, rows - 1, count).astype(np.int64)
    places: np.ndarray = chosen[:, None] * classes + np.arange(classes)[None, :]
    return places.reshape(-1)


class Block:
    """Block of frames, sampled one by one and turned into signals together.

    Attributes:
        filled: Frames in it.
    """

    def __init__(self, taps: Sequence[Tap], frames: int) -> None:
        self._samplers = [FrameSampler(tap, frames) for tap in taps]
        self._frames = frames
        self.filled = 0

    @property
    def full(self) -> bool:
        """Whether no further frame has a place."""
        return self.filled == self._frames

    def add(self, arrays: Sequence[np.ndarray], row: int = -1) -> None:
        """Sample one row of a request.

        Args:
            arrays: The tensor of each tap, as it came.
            row: Which; -1 where the request has one row only.

        Raises:
            ValueError: when it does not fit the reference.
        """
        place = self.filled
        for sampler, array in zip(self._samplers, arrays):
            sampler.sample(place, array if row < 0 else array[row])
        self.filled = place + 1

    def numbers(self) -> np.ndarray:
        """Return frames x signals and empty the block; NaN counts as the largest value."""
        frames, self.filled = self.filled, 0
        columns = [column for one in self._samplers for column in one.numbers(frames)]
        found = np.empty((frames, len(columns)), np.float32)
        for place, column in enumerate(columns):
            found[:, place] = column
        np.copyto(found, np.inf, where=np.isnan(found))
        return found


def bins_of(numbers: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the bin of each number: frames x signals.

    Args:
        edges: Upper edges, signals x (bins - 1); a number on an edge belongs below it.
    """
    # The edges come first: sums over them run along memory.
    above = numbers[None] > edges.T[:, None, :]
    found: np.ndarray = np.add.reduce(above, axis=0, dtype=np.uint8)
    return found


def count(bins: np.ndarray, columns: int) -> np.ndarray:
    """Count how often each bin occurs: signals x bins."""
    signals = bins.shape[1]
    flat = (bins + np.arange(0, signals * columns, columns)).reshape(-1)
    found: np.ndarray = np.bincount(flat, minlength=signals * columns)
    return found.reshape(signals, columns)
