"""The question of an explanation: which input is altered, and which score is explained."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import numpy

from studio.api import Array, Feeds, InvalidData, InvalidModel, UsageError
from studio.features.evidence.explanations.methods.scorer import Floats
from studio.lazy_dataclass import dataclass
from studio.models.answers import probabilities

MOST_COLUMNS = 128
"""Longest row of features; a longer one is a signal."""

_PICTURE_AXES, _SIGNAL_AXES, _ROW_AXES = 4, 3, 2
_CHANNELS = (1, 3)
_SUPPORTING = ("mask", "type", "segment", "position", "length")
"""Parts of names of inputs that describe another input."""


class InputKind(enum.Enum):
    """What a map of the input looks like."""

    PICTURE = "picture"
    SIGNAL = "signal"
    ROW = "row"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class AlteredInput:
    """The input whose parts are removed.

    Attributes:
        axes: Of its array that make up the map.
    """

    name: str
    kind: InputKind
    axes: tuple[int, ...]


def altered_input(feeds: Feeds, names: Sequence[str] = ()) -> AlteredInput:
    """Return the input to explain: a picture before a text, a signal or a row.

    Args:
        feeds: One sample.
        names: Names of features; a row may then have any length.

    Raises:
        InvalidModel: when no input has one of these forms.
    """
    found = [one for name, array in feeds.items() if (one := _form(name, array, bool(names)))]
    found.sort(key=lambda one: (_is_supporting(one.name), one.kind is not InputKind.PICTURE))
    if not found:
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in feeds.items())
        raise InvalidModel(f"No input is a picture, a signal, a row or a text: {shapes}.")
    return found[0]


def _form(name: str, array: Array, is_row: bool) -> AlteredInput | None:
    if array.ndim < _ROW_AXES or array.shape[0] != 1 or array.size < 2:
        return None
    if array.ndim == _PICTURE_AXES and array.dtype.kind in "fiu":
        axes = (2, 3) if array.shape[1] in _CHANNELS else (1, 2)
        is_picture = array.shape[1] in _CHANNELS or array.shape[3] in _CHANNELS
        return AlteredInput(name, InputKind.PICTURE, axes) if is_picture else None
    if array.ndim == _SIGNAL_AXES and array.dtype.kind == "f":
        longest = 1 if array.shape[1] > array.shape[2] else 2
        return AlteredInput(name, InputKind.SIGNAL, (longest,))
    if array.ndim != _ROW_AXES:
        return None
    if array.dtype.kind == "i" and array.dtype.itemsize >= 4:  # numbers of tokens
        return AlteredInput(name, InputKind.TEXT, (1,))
    if array.dtype.kind not in "fiu":
        return None
    few = is_row or array.shape[1] <= MOST_COLUMNS
    return AlteredInput(name, InputKind.ROW if few else InputKind.SIGNAL, (1,))


def _is_supporting(name: str) -> bool:
    return any(word in name.lower() for word in _SUPPORTING)


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One score of a classifier, or the value of a regression.

    Attributes:
        output: Name of the output.
        index: Number of the class.
        label: Its name.
        as_probability: Through a softmax.
    """

    output: str
    index: int
    label: str
    as_probability: bool

    def __call__(self, outputs: Mapping[str, Array]) -> Floats:
        """Return the score of each sample of a batch."""
        given = outputs[self.output]
        rows = given.reshape(len(given), -1).astype(numpy.float64)
        if not self.as_probability:
            return rows[:, self.index]
        rows = numpy.exp(rows - rows.max(axis=1, keepdims=True))
        found: Floats = rows[:, self.index] / rows.sum(axis=1)
        return found


def class_score(
    outputs: Mapping[str, Array], wanted: str, labels: Sequence[str], raw: bool
) -> ClassScore:
    """Return the score to explain.

    Args:
        outputs: Of one sample.
        wanted: Number or name of a class; empty for the likeliest.
        labels: Names of the classes.
        raw: The output as it is, instead of a probability.

    Raises:
        InvalidModel: when no output is a row of scores.
        UsageError: for a class that the model does not have.
    """
    name = next((name for name, array in outputs.items() if _is_row(array)), None)
    if name is None:
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in outputs.items())
        raise InvalidModel(
            f"The model has no scores of classes to explain: its outputs are {shapes}.",
            hint="An explanation needs a classifier, a value per row, or a detector with an "
            "outputs.toml.",
        )
    row = outputs[name].reshape(-1).astype(numpy.float64)
    if not numpy.isfinite(row).all():
        raise InvalidData("The model's scores for the sample are not finite numbers.")
    index = class_number(wanted, labels, len(row))
    index = int(row.argmax()) if index is None else index
    are_probabilities = bool(numpy.array_equal(probabilities(row), row))
    label = labels[index] if index < len(labels) else str(index)
    return ClassScore(name, index, label, len(row) > 1 and not raw and not are_probabilities)


def class_number(wanted: str, labels: Sequence[str], count: int) -> int | None:
    """Return the number of a class by its name or number; None for an empty text.

    Raises:
        UsageError: for a class that the model does not have.
    """
    if not wanted:
        return None
    if wanted in labels:
        return labels.index(wanted)
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 and int(wanted) < count:
        return int(wanted)
    quoted = wanted[:40]
    raise UsageError(f"The model has no class {quoted!r}; its {count} classes start at 0.")


def _is_row(array: Array) -> bool:
    if array.dtype.kind != "f" or not array.size or array.ndim < 1:
        return False
    return array.size == max(array.shape) and (array.ndim == 1 or array.shape[0] == 1)
