"""Reference data of a model: its signals with their bins and limits, as stored in the bundle."""

from __future__ import annotations

import base64
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from ..shared.documents import read_record

FORM = 1
WINDOW = 32
"""Frames of a window: two whole ones, and the part of one before them, are less than 100."""
OF_LAST = 3
"""Windows that are looked at together."""
MAX_SIGNALS = 24
MAX_COLUMNS = 64
"""Columns of tabular inputs that are signals of their own, besides the others."""
EMBEDDING = "edgewright_embedding"
"""A model's output of this name is for the watch alone: no client sees it."""
EMBEDDING_AXES = 8
MAX_BINS = 10


class Tap(NamedTuple):
    """A tensor from which signals are taken.

    Attributes:
        side: ``input`` or ``output``.
        name: Of the tensor.
        kind: How numbers are made of it; a key of ``signals.KINDS``.
        shape: Of one frame, without the axis of the batch; 0 where it differs between frames.
        innermost: Distance between neighbours in a frame's flattened elements.
        axes: Principal axes of the sampled elements (elements x axes): a signal each. May be None.
        classes: Of a kind that looks at some only: those, on the last axis.
        strips: Of neighbours that are taken of a frame that is too large to be taken whole.
        columns: Names of the elements of a table's row.
    """

    side: str
    name: str
    kind: str
    shape: Tuple[int, ...]
    innermost: int = 1
    axes: Optional[np.ndarray] = None
    classes: Tuple[int, ...] = ()
    strips: int = 64
    columns: Tuple[str, ...] = ()

    def to_json(self) -> Dict[str, object]:
        """Return plain data; axes in half precision, which is enough for a direction."""
        found: Dict[str, object] = {**self._asdict(), "shape": list(self.shape), "axes": None}
        found["classes"] = list(self.classes)
        found["columns"] = list(self.columns)
        if self.axes is not None:
            content = np.ascontiguousarray(self.axes, np.float16).tobytes()
            found["axes"] = {
                "shape": list(self.axes.shape),
                "float16": base64.b64encode(content).decode("ascii"),
            }
        return found


class Signal(NamedTuple):
    """One number of each frame.

    Attributes:
        name: Unique within the model, for people (``image.brightness``).
        column: Its place among all numbers of the taps; those that never vary are no signals.
        edges: Upper edges of all bins but the last.
        counts: Frames of the reference data in each bin; not all were judged for every signal.
        limit: Chi-square of a window above which it differs.
        limit_of_last: The same of the last three windows together.
        run: Of a column: frames of one value that are no chance; its limit is one of evidence.
    """

    name: str
    column: int
    edges: Tuple[float, ...]
    counts: Tuple[int, ...]
    limit: float
    limit_of_last: float
    run: int = 0


class Estimate(NamedTuple):
    """Relation of confidence and accuracy in labelled reference data.

    Attributes:
        column: Of the confidence, among all numbers of the taps.
        threshold: As many of the data were above it as were answered correctly.
        right, frames: Of the data.
    """

    column: int
    threshold: float
    right: int
    frames: int


class Reference(NamedTuple):
    """Reference data that the watch on a target compares with.

    Attributes:
        frames: Of the reference data.
        window: Frames of a window.
        taps: In the order in which their signals stand.
        estimate: Of labelled data; None without labels.
        unwatched: Inputs, outputs and columns without a signal, each with the reason.
    """

    frames: int
    window: int
    taps: Tuple[Tap, ...]
    signals: Tuple[Signal, ...]
    estimate: Optional[Estimate] = None
    unwatched: Tuple[str, ...] = ()

    def expected(self) -> np.ndarray:
        """Return the expected share of each bin, signals x bins; 0 for bins that a signal lacks."""
        found = np.zeros((len(self.signals), MAX_BINS))
        for row, signal in enumerate(self.signals):
            found[row, : len(signal.counts)] = signal.counts
        shares: np.ndarray = found / found.sum(axis=1, keepdims=True)
        return shares

    def edges(self) -> np.ndarray:
        """Upper edges, signals x (bins - 1); infinite where a signal has fewer bins."""
        found = np.full((len(self.signals), MAX_BINS - 1), np.inf, np.float32)
        for row, signal in enumerate(self.signals):
            found[row, : len(signal.edges)] = signal.edges
        return found

    def to_json(self) -> Dict[str, object]:
        """Return plain data for the bundle's ``baseline.json``."""
        estimate = {} if self.estimate is None else {"estimate": self.estimate._asdict()}
        return {
            **estimate,
            "form": FORM,
            "frames": self.frames,
            "window": self.window,
            "unwatched": list(self.unwatched),
            "taps": [tap.to_json() for tap in self.taps],
            "signals": [
                {**one._asdict(), "edges": list(one.edges), "counts": list(one.counts)}
                for one in self.signals
            ],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> Reference:
        """Read what ``to_json`` gave.

        Raises:
            ValueError: in one sentence.
        """
        try:
            if content["form"] != FORM:  # first: another form may have other keys
                raise ValueError("of a form that this runtime does not know")
            written = read_record(_Document, content)
            found = cls(
                written.frames,
                written.window,
                tuple(_tap(entry) for entry in written.taps),
                written.signals,
                _checked(written.estimate),
                written.unwatched,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("incomplete ({})".format(error)) from None
        _check(found)
        return found


class _Document(NamedTuple):
    """Reference as stored in the bundle."""

    frames: int
    window: int
    taps: Tuple[object, ...]
    signals: Tuple[Signal, ...]
    estimate: Optional[Estimate] = None
    unwatched: Tuple[str, ...] = ()


class _Axes(NamedTuple):
    """Principal axes in half precision."""

    shape: Tuple[int, ...]
    float16: str


class _TapDocument(NamedTuple):
    """Tap as stored in the bundle."""

    side: str
    name: str
    kind: str
    shape: Tuple[int, ...]
    innermost: int
    axes: Optional[_Axes]
    classes: Optional[Tuple[int, ...]] = None
    strips: int = 64
    columns: Optional[Tuple[str, ...]] = None


def _checked(found: Optional[Estimate]) -> Optional[Estimate]:
    if found is None:
        return None
    return found if found.column >= 0 and 0 < found.right <= found.frames else None


def _tap(entry: object) -> Tap:
    tap = read_record(_TapDocument, entry)
    axes = None if tap.axes is None else _numbers(tap.axes)
    lists = {"classes": tap.classes or (), "columns": tap.columns or ()}
    return Tap(**{**tap._asdict(), "axes": axes, **lists})


def _numbers(axes: _Axes) -> np.ndarray:
    content = base64.b64decode(axes.float16, validate=True)
    elements, number = axes.shape
    return np.frombuffer(content, np.float16).reshape(elements, number).astype(np.float32)


def _check(found: Reference) -> None:
    """Raise ValueError for an inconsistent reference: a bundle may have been edited."""
    faults: List[str] = []
    if not 8 <= found.window <= 255:
        faults.append("a window must have 8 to 255 frames")
    if found.frames < 1 or not 1 <= len(found.signals) <= MAX_SIGNALS + MAX_COLUMNS:
        most = MAX_SIGNALS + MAX_COLUMNS
        faults.append("it must have some frames and 1 to {} signals".format(most))
    for tap in found.taps:
        last = tap.shape[-1] if tap.shape else 0
        if tap.classes and not (min(tap.classes) >= 0 and max(tap.classes) < last):
            faults.append("the classes of {} are not all there".format(tap.name))
    for signal in found.signals:
        if not 2 <= len(signal.counts) <= MAX_BINS or len(signal.edges) != len(signal.counts) - 1:
            faults.append("{} must have 2 to {} bins".format(signal.name, MAX_BINS))
        if min(signal.counts, default=0) < 1 or sum(signal.counts) > found.frames:
            faults.append("the bins of {} do not hold its frames".format(signal.name))
        if list(signal.edges) != sorted(set(signal.edges)):
            faults.append("the edges of {} do not rise".format(signal.name))
    if faults:
        raise ValueError(faults[0])
