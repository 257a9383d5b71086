"""Search for the scores of boxes in a detector's outputs, by shapes and values.

Exporters agree on no form. Known forms are a list of boxes with a score each and rows of box, score
and class (both after suppression). Others are one large table of boxes and scores (YOLO), and
tables of scores with tables of boxes, one a level (SSD, DETR, PicoDet). A form is read the same
way from then on, so that the uncertainty of two requests can be compared.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

Outputs = Mapping[str, np.ndarray]
Read = Callable[[Outputs], np.ndarray]


class Scores(NamedTuple):
    """Position of the scores in the outputs.

    Attributes:
        read: Gives those of all boxes or places, from 0 to 1, in one row.
        sure: Another kind of model does not answer so.
        kinds: Gives the likeliest class of each, where every answer has the same places.
        corners: Gives left, top, right and bottom of each, where these accompany the scores.
    """

    read: Read
    sure: bool = True
    kinds: Optional[Read] = None
    corners: Optional[Read] = None


_FEWEST_PLACES = 20
_MOST_LISTED = 4096
_SLACK = 1e-3
_SCORES = ("score", "conf", "prob", "cls", "logit")
_CLASSES = ("class", "label", "categor", "num")


def scores_of(outputs: Outputs) -> Optional[Scores]:
    """Where the scores of these outputs are; None where they are not those of a detector."""
    lists = sum(array.ndim == 1 for array in outputs.values())
    floats = {name: a for name, a in outputs.items() if a.dtype.kind == "f" and a.size}
    found = _listed(floats, lists)
    for find in (_rows, _levels, _table, _grids):
        found = found or find(floats)
    return found


def unit(array: np.ndarray) -> bool:
    """Return whether all values are from 0 to 1, as those of likelihoods are."""
    return bool(array.min() >= -_SLACK and array.max() <= 1.0 + _SLACK)


def sums_to_one(rows: np.ndarray) -> bool:
    """Return whether rows are likelihoods of one class among others."""
    return unit(rows) and bool(np.abs(rows.sum(axis=-1) - 1.0).max() <= 1e-2)


def _whole(array: np.ndarray) -> bool:
    return bool((array == np.rint(array)).all())


def _has(name: str, words: Sequence[str]) -> bool:
    return any(word in name.lower() for word in words)


def _listed(floats: Outputs, lists: int) -> Optional[Scores]:
    """Return a score for each box of a list.

    Args:
        lists: Outputs with one axis: a single box needs its score and its class, as four numbers
            alone may be those of four classes.
    """
    counts = {
        a.shape[-2]
        for a in floats.values()
        if a.shape[-1:] == (4,) and (a.ndim == 3 or (a.ndim == 2 and (len(a) > 1 or lists > 1)))
    }
    found = [
        name
        for name, a in floats.items()
        if a.ndim in (1, 2)
        and a.size == a.shape[-1]
        and a.size in counts
        and not _has(name, _CLASSES)
        and unit(a)
    ]
    if not found:
        return None
    # Classes, where they are not called so, are whole numbers; so may scores be, but seldom.
    name = min(found, key=lambda name: (not _has(name, _SCORES), _whole(floats[name])))
    return Scores(lambda outputs: outputs[name].reshape(-1))


Layout = Tuple[int, int, int]

_LAYOUTS: Mapping[int, Tuple[Layout, ...]] = {6: ((1, 0, 2), (4, 5, 0)), 7: ((6, 5, 1), (2, 1, 3))}
"""Of rows with so many columns: where the score, the class and the box begin."""


def _rows(floats: Outputs) -> Optional[Scores]:
    """Rows of a box with its score and its class."""
    found = _layout_of(floats)
    if found is None:
        return None
    name, layout = found
    array = floats[name]
    # A single row may be a few classes whose numbers happen to look like it.
    return Scores(_reader_of_rows(name, *layout), array.size > array.shape[-1] or array.ndim > 2)


def _layout_of(floats: Outputs) -> Optional[Tuple[str, Layout]]:
    for name, array in floats.items():
        columns = array.shape[-1] if array.ndim > 1 else 0
        if columns not in _LAYOUTS or array.size > _MOST_LISTED * columns:
            continue
        rows = array.reshape(-1, columns)
        if sums_to_one(rows):
            continue
        for layout in _LAYOUTS[columns]:
            if _is_row(rows, *layout):
                return name, layout
    return None


def listed_boxes(outputs: Outputs) -> Optional[np.ndarray]:
    """Return the boxes of an answer: rows of the box's four numbers, its score, its class.

    None where it is no answer of a detector after suppression.
    """
    floats = {name: a for name, a in outputs.items() if a.dtype.kind == "f" and a.size}
    found = _layout_of(floats)
    if found is not None:
        name, (score, kind, box) = found
        rows = floats[name].reshape(-1, floats[name].shape[-1])
        order = [*range(box, box + 4), score, kind]
        chosen: np.ndarray = rows[rows[:, kind] >= 0][:, order]
        return chosen
    scores = _listed(floats, 2)
    if scores is None:
        return None
    likely = scores.read(outputs)
    boxes = next(a for a in floats.values() if a.size == 4 * likely.size and a.shape[-1] == 4)
    kinds = [
        array
        for name, array in outputs.items()
        if array.size == likely.size and (array.dtype.kind in "iu" or _has(name, _CLASSES))
    ]
    classes = kinds[0].reshape(-1) if kinds else np.zeros(likely.size)
    return np.column_stack([boxes.reshape(-1, 4), likely, classes]).astype(np.float64)


def _is_row(rows: np.ndarray, score: int, kind: int, box: int) -> bool:
    kept = rows[rows[:, kind] >= 0]  # others are padding
    if not len(kept) or not _whole(rows[:, kind]) or not unit(kept[:, score]):
        return False
    sides = kept[:, box + 2 : box + 4] - kept[:, box : box + 2]
    return bool(sides.min() >= 0.0 and sides.max() > 0.0)


def _reader_of_rows(name: str, score: int, kind: int, box: int) -> Read:
    def read(outputs: Outputs) -> np.ndarray:
        rows = outputs[name].reshape(-1, outputs[name].shape[-1])
        found: np.ndarray = rows[rows[:, kind] >= 0, score]
        return found

    return read


def _levels(floats: Outputs) -> Optional[Scores]:
    """Return tables of scores, each with a table of boxes for the same places."""
    tables = {name: a for name, a in floats.items() if a.ndim == 3 and a.shape[0] == 1}
    for axis in (1, 2):
        groups: Dict[int, List[str]] = {}
        for name, array in tables.items():
            groups.setdefault(array.shape[axis], []).append(name)
        parts: List[_Part] = []
        for places, names in groups.items():
            if len(names) > 1 and places > 1:
                parts += _beside({name: tables[name] for name in names}, axis)
        if parts:
            return _joined(parts)
    return None


def _joined(parts: Sequence[_Part]) -> Scores:
    boxes = [part.corners for part in parts if part.corners is not None]
    return Scores(
        lambda outputs: np.concatenate([part.read(outputs) for part in parts]),
        kinds=lambda outputs: np.concatenate([part.kinds(outputs) for part in parts]),
        corners=_stacked(boxes) if len(boxes) == len(parts) else None,
    )


def _stacked(readers: Sequence[Read]) -> Read:
    return lambda outputs: np.concatenate([read(outputs) for read in readers])


def _beside(tables: Outputs, axis: int) -> List[_Part]:
    """Those tables of a level that hold scores."""
    boxes = [n for n, a in tables.items() if a.shape[3 - axis] == 4 and not _has(n, _SCORES)]
    if len(boxes) == len(tables):
        return []
    rest = {name: a for name, a in tables.items() if name not in boxes}
    if not boxes:
        named = {name: a for name, a in rest.items() if _has(name, _SCORES) or unit(a)}
        alone = {name: a for name, a in rest.items() if a.shape[3 - axis] == 1}
        rest = named or alone
        if len(rest) == len(tables):
            return []
    # Whole boxes are those of a DETR; others are offsets from anchors that only the caller knows.
    whole = boxes[0] if len(boxes) == len(rest) == 1 and unit(tables[boxes[0]]) else ""
    reader = _corners_of(whole, axis, tables[whole]) if whole else None
    return [_Part(name, axis, *_activation(a, axis), reader) for name, a in rest.items()]


def _corners_of(name: str, axis: int, first: np.ndarray) -> Read:
    def boxes(array: np.ndarray) -> np.ndarray:
        table: np.ndarray = array[0]
        return table if axis == 1 else table.T

    are_corners = _are_corners(boxes(first))
    return lambda outputs: _corners(boxes(outputs[name]), are_corners)


def _are_corners(table: np.ndarray) -> bool:
    """Return whether boxes stand there as two corners; else as a middle and two sizes."""
    return bool((table[:, 2:4] > table[:, :2]).all())


def _corners(boxes: np.ndarray, are_corners: bool) -> np.ndarray:
    """Left, top, right, bottom of boxes in either form."""
    if are_corners:
        return boxes
    middle, half = boxes[:, :2], boxes[:, 2:4] / 2
    return np.hstack([middle - half, middle + half])


Activation = Callable[[np.ndarray], np.ndarray]
"""From a table (places x classes) to a score for each place."""

_ALL = slice(None)


class _Part(NamedTuple):
    """A table of scores: its axis of places, what makes scores of it, its classes' columns.

    Attributes:
        corners: Reads the boxes of its places, where these are whole ones.
    """

    name: str
    axis: int
    activation: Activation
    columns: slice
    corners: Optional[Read] = None

    def read(self, outputs: Outputs) -> np.ndarray:
        return self.activation(self._table(outputs))

    def kinds(self, outputs: Outputs) -> np.ndarray:
        found: np.ndarray = self._table(outputs)[:, self.columns].argmax(axis=1)
        return found

    def _table(self, outputs: Outputs) -> np.ndarray:
        table: np.ndarray = outputs[self.name][0]
        return table if self.axis == 1 else table.T


def _activation(array: np.ndarray, axis: int) -> Tuple[Activation, slice]:
    """What makes scores of a table, as its values tell, and which columns are classes."""
    table = array[0] if axis == 1 else array[0].T
    if table.shape[1] > 1 and sums_to_one(table):
        columns = _beside_nothing(table)
        return lambda table: _largest(table[:, columns]), columns
    if unit(table):
        return _largest, _ALL
    # Of sigmoids nearly all are negative; of a softmax the one for "nothing" is large and positive.
    if table.shape[1] == 1 or float(np.median(table.max(axis=1))) < 0.0:
        return lambda table: sigmoid(_largest(table)), _ALL
    classes = _beside_nothing(softmax(table))
    return lambda table: _largest(softmax(table)[:, classes]), classes


def _beside_nothing(shares: np.ndarray) -> slice:
    """All classes but "nothing", which stands first or last and is nearly everywhere."""
    first = shares[:, 0].mean() >= shares[:, -1].mean()
    return slice(1, None) if first else slice(None, -1)


def _largest(table: np.ndarray) -> np.ndarray:
    found: np.ndarray = table.max(axis=1)
    return found


def _table(floats: Outputs) -> Optional[Scores]:
    """One table of boxes and scores, places x columns or columns x places."""
    for name, array in floats.items():
        if array.ndim != 3 or array.shape[0] != 1:
            continue
        flipped = array.shape[1] < array.shape[2]
        table = array[0].T if flipped else array[0]
        if len(table) < _FEWEST_PLACES or table.shape[1] < 5 or unit(table):
            continue
        count = _likely_columns(table)
        if count:
            # With boxes in pixels the first score is for an object of any class (YOLOv5, X).
            has_any = not flipped and count > 1 and not unit(table[:, :4])
            joined = _Joined(name, flipped, count, has_any)
            boxes = joined.corners(_are_corners(table))
            return Scores(joined.read, kinds=joined.kinds, corners=boxes)
    return None


def _likely_columns(table: np.ndarray) -> int:
    """How many columns after the box hold scores; points and masks may follow."""
    low, high = table[:, 4:].min(axis=0), table[:, 4:].max(axis=0)
    fits = (low >= -_SLACK) & (high <= 1.0 + _SLACK)
    return int(len(fits) if fits.all() else np.argmin(fits))


class _Joined(NamedTuple):
    """Table of boxes and columns of scores, the first of which may be for any class."""

    name: str
    flipped: bool
    columns: int
    has_any: bool

    def read(self, outputs: Outputs) -> np.ndarray:
        scores = self._part(outputs, 4, 4 + self.columns)
        likely = scores[1:].max(axis=0) * scores[0] if self.has_any else scores.max(axis=0)
        found: np.ndarray = likely
        return found

    def kinds(self, outputs: Outputs) -> np.ndarray:
        found: np.ndarray = self._part(outputs, 4 + self.has_any, 4 + self.columns).argmax(axis=0)
        return found

    def corners(self, are_corners: bool) -> Read:
        """Of boxes that stand there as corners, or as middles and sizes."""
        return lambda outputs: _corners(self._part(outputs, 0, 4).T, are_corners)

    def _part(self, outputs: Outputs, begin: int, end: int) -> np.ndarray:
        """Columns of the table, each as a row of places."""
        table: np.ndarray = outputs[self.name][0]
        return table[begin:end] if self.flipped else table[:, begin:end].T


def _grids(floats: Outputs) -> Optional[Scores]:
    """Grids of a YOLO before its last part: anchors x rows x columns x (box, any, classes)."""
    names = [n for n, a in floats.items() if a.ndim == 5 and a.shape[-1] > 5 and not unit(a)]
    if not names or len(names) != len(floats):
        return None

    def tables(outputs: Outputs) -> List[np.ndarray]:
        return [outputs[name].reshape(-1, outputs[name].shape[-1]) for name in names]

    def read(outputs: Outputs) -> np.ndarray:
        found = [sigmoid(one[:, 4]) * sigmoid(one[:, 5:].max(axis=1)) for one in tables(outputs)]
        return np.concatenate(found)

    def kinds(outputs: Outputs) -> np.ndarray:
        return np.concatenate([one[:, 5:].argmax(axis=1) for one in tables(outputs)])

    return Scores(read, kinds=kinds)


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Without an overflow."""
    found: np.ndarray = 0.5 + 0.5 * np.tanh(0.5 * values.astype(np.float32))
    return found


def softmax(rows: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    raised = np.exp(rows.astype(np.float32) - rows.max(axis=-1, keepdims=True))
    found: np.ndarray = raised / raised.sum(axis=-1, keepdims=True)
    return found
