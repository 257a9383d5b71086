"""A request of any contract, understood: what to run, and in which form to answer."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from ..engine.served_model import ServedModel
from ..protocol.bfloat16 import narrowed
from ..protocol.json_reader import JsonList
from ..protocol.tensor_data import bad
from ..protocol.tensors import TensorSpec
from .nested_rows import Rows, rows_of, tensor_of

if TYPE_CHECKING:
    from ..decoders.decoder import PictureInInput

Feeds = Dict[str, np.ndarray]


class Form(enum.Enum):
    """Form of the answer."""

    ROWS = "rows"  # {"predictions": [one for each instance]}
    COLUMNS = "columns"  # each output as a whole
    BARE = "bare"  # the list of predictions alone
    PICTURE = "picture"  # rows, and the best labels


class Question(NamedTuple):
    """Inputs to run, and the form of the answer.

    Attributes:
        runs: Inputs of each run: one run for all instances, or one for each.
        instances: How many.
        whole: The model has no batch axis: an output of a run is the answer of its instance.
        picture: What the input was made of, where it was a picture.
        drawing: Type of picture to answer with; empty for the usual answer.
    """

    runs: List[Feeds]
    instances: int
    form: Form
    whole: bool = False
    picture: Optional[PictureInInput] = None
    drawing: str = ""


def question(columns: Mapping[str, Rows], count: int, form: Form) -> Question:
    """Put the inputs together.

    Raises:
        HttpError: 400, when one has to be run in pieces and another cannot be.
    """
    runs = max(len(rows.parts) for rows in columns.values())
    if any(len(rows.parts) != runs for rows in columns.values()):
        raise bad("The inputs have different numbers of instances.")
    feeds = [{name: rows.parts[run] for name, rows in columns.items()} for run in range(runs)]
    return Question(feeds, count, form, any(rows.whole for rows in columns.values()))


def of_columns(
    columns: Mapping[str, JsonList], model: ServedModel, form: Form, *, gaps: bool = False
) -> Question:
    """Return a question from the values of each input for all instances.

    Args:
        gaps: None is a missing number, as in tables.

    Raises:
        HttpError: 400, when they do not fit the model.
    """
    unknown = [name for name in columns if name not in model.inputs]
    if unknown:
        known = ", ".join(list(model.inputs)[:10])
        raise bad("The model has no input {!r}; it has {}.", unknown[0], known)
    missing = [name for name in model.inputs if name not in columns]
    if missing:
        raise bad("The input {!r} is missing.", missing[0])
    found = {}
    for name, values in columns.items():
        spec = model.inputs[name]
        array = tensor_of(_filled(values) if gaps and _is_float(spec) else values, spec)
        found[name] = rows_of(array, spec)
    counts = {len(values) for values in columns.values()}
    if len(counts) != 1:
        raise bad("The inputs have different numbers of instances.")
    return question(found, counts.pop(), form)


def of_array(array: np.ndarray, model: ServedModel, form: Form) -> Question:
    """Return a question from an array for the one input of a model.

    Raises:
        HttpError: 400, when the model has several inputs, or the array does not fit.
    """
    spec = only_input(model)
    if spec.kind.bits and array.dtype.kind in "fiu":
        array = narrowed(array)
    if spec.kind.dtype is None or not np.can_cast(array.dtype, spec.kind.dtype, "same_kind"):
        raise bad("The input {!r} is {}, not {}.", spec.name, spec.kind.name, array.dtype.name)
    if array.ndim == 0:
        raise bad("There is no instance in the request.")
    rows = rows_of(array.astype(spec.kind.dtype, order="C", copy=False), spec)
    return question({spec.name: rows}, len(array), form)


def only_input(model: ServedModel) -> TensorSpec:
    """Return the input of a model that has one.

    Raises:
        HttpError: 400, when it has several.
    """
    if len(model.inputs) != 1:
        raise bad(
            "The model has the inputs {}: say which value is for which.",
            ", ".join(list(model.inputs)[:10]) or "none",
        )
    return next(iter(model.inputs.values()))


def _is_float(spec: TensorSpec) -> bool:
    return spec.kind.dtype is not None and (spec.kind.dtype.kind == "f" or spec.kind.bits)


def _filled(values: Sequence[object]) -> JsonList:
    """Not-a-number for each value that is missing."""
    nan = float("nan")
    return [
        _filled(value) if type(value) is list else nan if value is None else value
        for value in values
    ]
