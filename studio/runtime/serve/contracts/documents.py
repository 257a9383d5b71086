"""JSON bodies of the contracts: instances, inputs, tables."""

from __future__ import annotations

import base64
import binascii
from typing import Dict, List, Mapping

import numpy as np

from ..engine.served_model import ServedModel
from ..http.message import Body
from ..protocol.codec import parse_json
from ..protocol.json_reader import JsonList
from ..protocol.tensor_data import bad
from .nested_rows import MOST_RUNS
from .picture_input import prepared
from .question import Feeds, Form, Question, of_columns, only_input

Document = Mapping[str, object]


def is_open_inference(document: Document) -> bool:
    """Return whether it is a request of the Open Inference Protocol, whatever its address."""
    inputs = document.get("inputs")
    return (
        isinstance(inputs, list)
        and bool(inputs)
        and all(isinstance(entry, dict) and "datatype" in entry for entry in inputs)
    )


def document_of(body: Body) -> Document:
    """Return the JSON object of a body.

    Raises:
        HttpError: 400, when it is not an object.
    """
    return parse_json(body)


def read_document(document: Document, model: ServedModel) -> Question:
    """Understand any of the known kinds of JSON requests.

    Raises:
        HttpError: 400, when it is of no known kind or does not fit the model.
    """
    given = [key for key in _READERS if key in document]
    if len(given) != 1:
        raise bad("The request must have exactly one of {}.", ", ".join(_READERS))
    return _READERS[given[0]](document[given[0]], model)


def _instances(value: object, model: ServedModel, form: Form = Form.ROWS) -> Question:
    """Row format: a list with everything of one instance in each entry."""
    if not isinstance(value, list) or not value:
        raise bad("The instances must be a list of at least one.")
    first = value[0]
    # An object with the one key b64 is a binary instance, as in TensorFlow Serving.
    if isinstance(first, dict) and set(first) != {"b64"}:
        return _named_instances(value, model, form)
    spec = only_input(model)
    if isinstance(first, dict):
        return _encoded(value, model, form)
    return of_columns({spec.name: value}, model, form)


def _named_instances(value: JsonList, model: ServedModel, form: Form) -> Question:
    names = set(value[0])
    if any(not isinstance(entry, dict) or set(entry) != names for entry in value):
        raise bad("The instances must all have the same names.")
    columns = {name: [entry[name] for entry in value] for name in value[0]}
    if len(columns) == 1 and list(columns) == list(model.inputs):
        return _instances(next(iter(columns.values())), model, form)
    return of_columns(columns, model, form)


def _encoded(value: JsonList, model: ServedModel, form: Form) -> Question:
    """Instances in base64: pictures, or the strings of a model that takes strings."""
    contents = [_from_base64(entry) for entry in value]
    spec = only_input(model)
    if spec.kind.dtype is not None:
        return _pictures(contents, model, form)
    try:
        texts = [content.decode("utf-8") for content in contents]
    except UnicodeDecodeError:
        raise bad("A string of the input {!r} is not UTF-8.", spec.name) from None
    return of_columns({spec.name: texts}, model, form)


def _from_base64(entry: object) -> bytes:
    text = entry.get("b64") if isinstance(entry, dict) and len(entry) == 1 else None
    if not isinstance(text, str):
        raise bad('Each instance must be {{"b64": "..."}} like the first.')
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise bad("An instance is not valid base64.") from None


def _pictures(contents: List[bytes], model: ServedModel, form: Form) -> Question:
    """Pictures of one size after preprocessing run together, others one after the other."""
    if len(contents) > MOST_RUNS:
        raise bad("A request may have at most {} pictures.", MOST_RUNS)
    runs: List[Feeds] = [prepared(content, model)[0] for content in contents]
    spec = only_input(model)
    arrays = [feeds[spec.name] for feeds in runs]
    together = spec.shape[:1] == (-1,) and len({array.shape for array in arrays}) == 1
    if together:
        runs = [{spec.name: np.concatenate(arrays)}]
    return Question(runs, len(contents), form)


def _inputs(value: object, model: ServedModel) -> Question:
    """Column format: each input as a whole, by name, or alone for a model with one."""
    if isinstance(value, list):
        value = {only_input(model).name: value}
    if not isinstance(value, dict) or not all(isinstance(v, list) for v in value.values()):
        raise bad("The inputs must be a list, or an object with a list for each input.")
    return of_columns(value, model, Form.COLUMNS)


def _split(value: object, model: ServedModel, form: Form = Form.ROWS) -> Question:
    """Return a table as {"columns": [...], "data": [[...], ...]}; its index is not looked at."""
    columns = value.get("columns") if isinstance(value, dict) else None
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(columns, list) or not isinstance(data, list):
        raise bad("A table must have a list of columns and a list data.")
    return of_table([str(column) for column in columns], data, model, form)


def _records(value: object, model: ServedModel) -> Question:
    """Return a table as a list of objects."""
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise bad("The records must be a list of objects.")
    columns = list(value[0]) if value else []
    if any(set(entry) != set(columns) for entry in value):
        raise bad("The records must all have the same names.")
    return of_table(columns, [[entry[name] for name in columns] for entry in value], model)


def of_table(
    columns: List[str], rows: JsonList, model: ServedModel, form: Form = Form.ROWS
) -> Question:
    """Return a table: a column for each input, or all columns together for a model with one input.

    Raises:
        HttpError: 400, when it does not fit the model.
    """
    if not rows or any(type(row) is not list or len(row) != len(columns) for row in rows):
        raise bad("Each row of a table must have a value for each column, and there must be rows.")
    places = {name: place for place, name in enumerate(columns)}
    values: Dict[str, JsonList]
    if all(name in places for name in model.inputs):
        values = {name: [row[places[name]] for row in rows] for name in model.inputs}
    else:
        values = {only_input(model).name: rows}
    return of_columns(values, model, form, gaps=True)


def _input_data(value: object, model: ServedModel) -> Question:
    """What Azure's deployments of MLflow models take, and answer with the bare predictions."""
    if isinstance(value, dict) and "columns" in value:
        return _split(value, model, Form.BARE)
    return _bare(value, model)


def _bare(value: object, model: ServedModel) -> Question:
    return _instances(value, model, Form.BARE)


_READERS = {
    "instances": _instances,
    "inputs": _inputs,
    "dataframe_split": _split,
    "dataframe_records": _records,
    "input_data": _input_data,
    "data": _bare,
}
"""Key of a JSON request -> what understands its value."""
