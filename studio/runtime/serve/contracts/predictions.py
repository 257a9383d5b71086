"""Answers of the contracts: predictions as JSON, CSV or numpy's file format."""

from __future__ import annotations

import csv
import io
import json
from typing import Dict, List, Mapping, Sequence

import numpy as np

from ..engine.served_model import ServedModel
from ..http.message import JSON, Response
from ..images.answer import classified
from ..protocol.tensor_data import bad
from ..protocol.tensors import TensorSpec
from .question import Form, Question

CSV = "text/csv"
NPY = "application/x-npy"

Columns = Dict[str, List[np.ndarray]]
"""Outputs by name: an array for each instance."""


def instances_of(
    question: Question, results: Sequence[Sequence[np.ndarray]], names: Sequence[str]
) -> Columns:
    """Return the outputs of each instance.

    Args:
        results: Outputs of each run, in the order of the names.

    Raises:
        HttpError: 400, when an output cannot be split into its instances.
    """
    found: Columns = {name: [] for name in names}
    share = question.instances // len(results)
    for arrays in results:
        for name, array in zip(names, arrays):
            found[name].extend(_split(array, share, question.whole, name))
    return found


def _split(array: np.ndarray, count: int, whole: bool, name: str) -> List[np.ndarray]:
    if not whole and array.ndim and len(array) == count:
        return [array[row, ...] for row in range(count)]  # also a single value stays an array
    if count == 1:
        return [array]
    raise bad("The output {!r} has no row for each instance: send one at a time.", name)


def as_json(question: Question, columns: Columns, model: ServedModel, outputs_key: str) -> Response:
    """Return the answer as JSON.

    Args:
        outputs_key: What the answer to column format is called.
    """
    form = question.form
    key = "predictions"
    more = ""
    if form is Form.COLUMNS:
        text, key = _by_output(columns, model.outputs), outputs_key
    else:
        text = _by_instance(columns, model.outputs, question.instances)
    if form is Form.PICTURE:
        more = _best(columns, model)
    body = text if form is Form.BARE else '{{"{}":{}{}}}'.format(key, text, more)
    return Response(200, body.encode("utf-8"), JSON, model.headers)


def _best(columns: Columns, model: ServedModel) -> str:
    arrays = {name: np.stack(rows) for name, rows in columns.items()}
    best = classified(arrays, model.outputs, model.source.labels)
    return "" if best is None else ',"labels":' + json.dumps(best, separators=(",", ":"))


def _by_instance(columns: Columns, outputs: Mapping[str, TensorSpec], count: int) -> str:
    if len(columns) == 1:
        ((name, rows),) = columns.items()
        return "[" + ",".join(text_of(row, outputs[name]) for row in rows) + "]"
    entries = []
    for number in range(count):
        parts = [
            json.dumps(name) + ":" + text_of(rows[number], outputs[name])
            for name, rows in columns.items()
        ]
        entries.append("{" + ",".join(parts) + "}")
    return "[" + ",".join(entries) + "]"


def _by_output(columns: Columns, outputs: Mapping[str, TensorSpec]) -> str:
    texts = {
        name: "[" + ",".join(text_of(row, outputs[name]) for row in rows) + "]"
        for name, rows in columns.items()
    }
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "{" + ",".join(json.dumps(name) + ":" + text for name, text in texts.items()) + "}"


def text_of(array: np.ndarray, spec: TensorSpec) -> str:
    """Nested lists of JSON, or one value."""
    text = json.dumps(array.tolist(), separators=(",", ":"))
    if spec.kind.dtype is None or not ("N" in text or "I" in text):
        return text
    # JSON has no NaN and no infinity; null and a number too large are read as such by clients.
    return text.replace("Infinity", "1e999").replace("NaN", "null")


def as_csv(columns: Columns, model: ServedModel) -> Response:
    """Return a line for each instance: the values of all outputs, flattened."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for instance in zip(*columns.values()):
        writer.writerow([value for array in instance for value in np.ravel(array).tolist()])
    return Response(200, out.getvalue().encode("utf-8"), CSV + "; charset=utf-8", model.headers)


def as_npy(columns: Columns, model: ServedModel) -> Response:
    """Return the one output of the model as an array.

    Raises:
        HttpError: 400, when there are several outputs, or none that numpy's format can hold.
    """
    (name, *others), (rows, *_) = list(columns), list(columns.values())
    if others or model.outputs[name].kind.dtype is None:
        raise bad("Only a single output of numbers can be sent as {}.", NPY)
    out = io.BytesIO()
    try:
        np.save(out, np.stack(rows), allow_pickle=False)
    except ValueError:
        raise bad("The instances have outputs of different shapes; ask for JSON.") from None
    return Response(200, out.getvalue(), NPY, model.headers)
