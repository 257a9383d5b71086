"""Boxes of a detector and of its labels, and which of them belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from studio.api import Array, InvalidData, Truth

Floats = NDArray[numpy.float64]

ORDERS = {
    "box-score-class": (0, 1, 2, 3, 4, 5),
    "class-score-box": (2, 3, 4, 5, 1, 0),
}
"""Orders of a found box's six numbers: where left, top, right, bottom, score and class stand."""

_FIELDS = 5


@dataclass(frozen=True, slots=True)
class Boxes:
    """The boxes of one sample, the highest score first.

    Attributes:
        places: Left, top, right, bottom; boxes × 4.
        scores: Of each box; ones for labels.
        classes: Of each box.
    """

    places: Floats
    scores: Floats
    classes: NDArray[numpy.int64]

    @classmethod
    def of(cls, rows: Floats) -> Boxes:
        """Return boxes from rows of left, top, right, bottom, score, class."""
        rows = rows[numpy.argsort(-rows[:, 4], kind="stable")]
        return cls(rows[:, :4], rows[:, 4], rows[:, 5].astype(numpy.int64))

    def only(self, chosen: NDArray[numpy.bool_]) -> Boxes:
        """Return a selection of the boxes."""
        return Boxes(self.places[chosen], self.scores[chosen], self.classes[chosen])


def predicted_boxes(outputs: Mapping[str, Array], name: str | None, order: str) -> Boxes:
    """Return a model's boxes: rows of six numbers, or separate boxes, scores and classes.

    Args:
        name: The output that has the rows; without one, the first that can be it.

    Raises:
        InvalidData: when no output holds boxes.
    """
    arrays = {name: outputs[name]} if name is not None and name in outputs else outputs
    for array in arrays.values():
        if array.shape[-1:] == (6,) and array.size == array.shape[-2:][0] * 6:
            rows = array.reshape(-1, 6).astype(numpy.float64)[:, ORDERS[order]]
            return Boxes.of(rows[rows[:, 5] >= 0])  # some models fill up with class -1
    places = next((n for n, a in outputs.items() if a.ndim >= 2 and a.shape[-1] == 4), None)
    if places is not None:
        return _apart(outputs, places)
    shapes = ", ".join("×".join(map(str, array.shape)) for array in outputs.values())
    raise InvalidData(
        f"This metric needs boxes after non-maximum suppression, but the outputs are {shapes}.",
        hint="Rows of left, top, right, bottom, score, class; or boxes, scores and classes.",
    )


def _apart(outputs: Mapping[str, Array], name: str) -> Boxes:
    places = outputs[name].reshape(-1, 4).astype(numpy.float64)
    rest = {n: a.reshape(-1) for n, a in outputs.items() if n != name and a.size == len(places)}
    classes = next((n for n, a in rest.items() if a.dtype.kind in "iu" or "label" in n), None)
    scores = next((n for n in rest if n != classes), None)
    if scores is None:
        raise InvalidData("The model gives boxes, but no score for each.")
    kinds = rest[classes] if classes is not None else numpy.zeros(len(places))
    columns = [rest[scores].astype(numpy.float64)[:, None], kinds.astype(numpy.float64)[:, None]]
    return Boxes.of(numpy.concatenate([places, *columns], axis=1))


def labelled_boxes(label: Truth) -> Boxes:
    """Parse the boxes of a label: ``class left top right bottom``, separated by semicolons.

    Raises:
        InvalidData: when the label is something else.
    """
    if not isinstance(label, str):
        raise InvalidData(f"This metric needs boxes as labels, not {_shown(label)}.")
    rows = [part.split() for part in label.split(";") if part.strip()]
    try:
        if any(len(row) != _FIELDS for row in rows):
            raise ValueError
        numbers = numpy.array(rows, dtype=numpy.float64).reshape(-1, _FIELDS)
    except ValueError:
        raise InvalidData(
            f"The label {label[:60]!r} is no list of boxes.",
            hint="Each box is: class left top right bottom; several are parted by semicolons.",
        ) from None
    return Boxes(numbers[:, 1:], numpy.ones(len(rows)), numbers[:, 0].astype(numpy.int64))


def overlaps(first: Floats, second: Floats) -> Floats:
    """Return intersection over union of each box of one list with each of the other."""
    corner = numpy.maximum(first[:, None, :2], second[None, :, :2])
    opposite = numpy.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (opposite - corner).clip(min=0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clip(min=0).prod(axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    result: Floats = numpy.divide(shared, union, out=numpy.zeros_like(shared), where=union > 0)
    return result


def matched(one: Boxes, label: Boxes, least: float) -> NDArray[numpy.bool_]:
    """Return which predicted boxes match a box of the label, each of which matches once.

    The one with the highest score chooses first, and takes the box that it overlaps most.
    """
    shares = overlaps(one.places, label.places)
    shares[one.classes[:, None] != label.classes[None, :]] = 0
    hits = numpy.zeros(len(one.scores), bool)
    for index in range(len(hits)):
        best = int(shares[index].argmax()) if shares.shape[1] else -1
        if best >= 0 and shares[index, best] >= least:
            hits[index] = True
            shares[:, best] = 0
    return hits


def _shown(label: Any) -> str:
    return repr(label) if isinstance(label, int) else "arrays"
