"""Nested JSON lists to tensors of a model's input."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from ..protocol.json_reader import JsonList
from ..protocol.tensor_data import BinaryPart, bad, read_tensor
from ..protocol.tensors import TensorSpec

_MOST_AXES = 32
MOST_RUNS = 1024
"""Instances in a request to a model that takes one at a time."""


class Rows(NamedTuple):
    """The values of an input for all instances of a request.

    Attributes:
        parts: One array for all instances; or one for each, when the model takes one at a time.
        whole: Each part is one instance without a batch axis.
    """

    parts: List[np.ndarray]
    whole: bool = False


def tensor_of(values: JsonList, spec: TensorSpec) -> np.ndarray:
    """Return the array of a nested list, in its own shape and the input's type.

    Raises:
        HttpError: 400, when the list is ragged or its values do not fit the type.
    """
    shape, flat = flattened(values, spec)
    entry = {"datatype": spec.kind.name, "shape": list(shape), "data": flat}
    anything = TensorSpec(spec.name, spec.kind, ())
    return read_tensor(entry, anything, BinaryPart(b"", 0, False))


def flattened(values: JsonList, spec: TensorSpec) -> Tuple[Tuple[int, ...], JsonList]:
    """Shape and elements of a nested list.

    Raises:
        HttpError: 400, when its lists have different lengths or are nested too deeply.
    """
    shape = [len(values)]
    while values and type(values[0]) is list:
        width = len(values[0])
        # The depth is limited, as a client could nest lists at two bytes a level.
        if len(shape) == _MOST_AXES:
            raise bad("The values of the input {!r} are nested too deeply.", spec.name)
        if any(type(value) is not list or len(value) != width for value in values):
            raise bad("The values of the input {!r} are ragged.", spec.name)
        shape.append(width)
        values = [item for value in values for item in value]
    return tuple(shape), values


def rows_of(array: np.ndarray, spec: TensorSpec) -> Rows:
    """Fit an array of instances to what the model takes.

    The instances may be rows of the input, flattened rows (a line of CSV for a picture), or whole
    inputs without a batch axis. A model with a batch axis of exactly one gets them one by one.

    Raises:
        HttpError: 400, when they fit in none of these ways.
    """
    count = len(array)
    if not count:
        raise bad("There is no instance in the request.")
    if spec.accepts(array.shape):
        return Rows([array])
    if array.ndim == len(spec.shape) + 1 and spec.accepts(array.shape[1:]):
        return Rows(_each(array, count), whole=True)
    fitting = _reshaped(array, spec)
    if fitting is None:
        wanted = ["any" if size < 0 else size for size in spec.shape[1:]]
        raise bad(
            "An instance of the input {!r} has the shape {}, not {}.",
            spec.name,
            list(array.shape[1:]),
            str(wanted).replace("'", ""),
        )
    if spec.shape[0] in (-1, count):
        return Rows([fitting])
    if spec.shape[0] == 1:
        return Rows([row[None] for row in _each(fitting, count)])
    raise bad("The model takes exactly {} instances, not {}.", spec.shape[0], count)


def _each(array: np.ndarray, count: int) -> List[np.ndarray]:
    if count > MOST_RUNS:
        sentence = "The model takes one instance at a time, and a request at most {}."
        raise bad(sentence, MOST_RUNS)
    return list(array)


def _reshaped(array: np.ndarray, spec: TensorSpec) -> Optional[np.ndarray]:
    """Return the instances in the shape of the input's rows; None when they do not fit."""
    row = spec.shape[1:]
    if TensorSpec(spec.name, spec.kind, (-1, *row)).accepts(array.shape):
        return array
    if not spec.shape or sum(size < 0 for size in row) > (array.ndim < 3):
        return None
    try:
        fitting = array.reshape((len(array), *row))
    except ValueError:
        return None
    return fitting
