"""Infer requests of the Open Inference Protocol and the answers to them."""

from __future__ import annotations

import json
import sys
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from .http.message import BINARY, JSON, Body, Response
from .tensor_data import BinaryPart, bad, parameters_of, read_tensor, to_binary, to_json
from .tensors import TensorSpec

HEADER_LENGTH = "inference-header-content-length"
_MAX_DIGITS = 40


class Wanted(NamedTuple):
    """An output that the client asked for, and whether it wants it as binary."""

    name: str
    binary: bool


class Inference(NamedTuple):
    """A decoded request.

    Attributes:
        id: The client's own, sent back with the answer; empty when it gave none.
        batch: Size of the first dimension of the first input.
    """

    id: str
    feeds: Dict[str, np.ndarray]
    wanted: List[Wanted]
    batch: int


def decode(
    body: Body,
    header_length: Optional[str],
    inputs: Mapping[str, TensorSpec],
    outputs: Mapping[str, TensorSpec],
) -> Inference:
    """Read an infer request.

    Args:
        header_length: Value of Inference-Header-Content-Length: bytes of JSON in front of the
            binary tensors; None when the body is JSON alone.

    Raises:
        HttpError: 400, saying what does not fit the model.
    """
    size = len(body) if header_length is None else _size_of_json(header_length, len(body))
    document = _parse(body[:size] if size != len(body) else body)
    binary = BinaryPart(body, size, header_length is not None)
    feeds: Dict[str, np.ndarray] = {}
    batch = 1
    for entry in _list(document, "inputs"):
        name = _name(entry, "input")
        spec = inputs.get(name)
        if spec is None:
            raise bad("The model has no input {!r}; it has {}.", name, _listed(inputs))
        if name in feeds:
            raise bad("The input {!r} is given twice.", name)
        feeds[name] = read_tensor(entry, spec, binary)
        if len(feeds) == 1 and feeds[name].ndim:
            batch = int(feeds[name].shape[0])
    missing = [name for name in inputs if name not in feeds]
    if missing:
        raise bad("The input {!r} is missing.", missing[0])
    binary.check_used_up()
    return Inference(_id(document), feeds, _wanted(document, outputs), batch)


def _size_of_json(text: str, total: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18 or int(text) > total:
        raise bad("Inference-Header-Content-Length must be between 0 and the body's length.")
    return int(text)


def _short_int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("a number with too many digits")
    return int(text)


# Pythons that do not limit the digits of an int need quadratic time for a long one.
_DECODER = (
    json.JSONDecoder()
    if hasattr(sys, "get_int_max_str_digits")
    else json.JSONDecoder(parse_int=_short_int)
)


def _parse(text: Body) -> Dict[str, Any]:
    try:
        document = _DECODER.decode(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise bad("The request is not valid JSON: {}.", reason[:200]) from None
    if not isinstance(document, dict):
        raise bad("The request must be a JSON object.")
    return document


def _list(document: Mapping[str, Any], key: str) -> List[Any]:
    value = document.get(key)
    if not isinstance(value, list):
        raise bad("The request must have a list {!r}.", key)
    return value


def _name(entry: Any, what: str) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        raise bad("Each {} must be an object with a name.", what)
    return name


def _id(document: Mapping[str, Any]) -> str:
    value = document.get("id", "")
    if not isinstance(value, str):
        raise bad("The id of a request must be a string.")
    return value


def _wanted(document: Mapping[str, Any], outputs: Mapping[str, TensorSpec]) -> List[Wanted]:
    default = parameters_of(document).get("binary_data_output") is True
    if not document.get("outputs"):
        return [Wanted(name, default) for name in outputs]
    wanted: List[Wanted] = []
    for entry in _list(document, "outputs"):
        name = _name(entry, "output")
        if name not in outputs:
            raise bad("The model has no output {!r}; it has {}.", name, _listed(outputs))
        if any(name == other.name for other in wanted):
            raise bad("The output {!r} is asked for twice.", name)
        binary = parameters_of(entry).get("binary_data", default)
        wanted.append(Wanted(name, binary is True))
    return wanted


def _listed(names: Mapping[str, TensorSpec]) -> str:
    return ", ".join(list(names)[:10]) or "none"


def encode(
    name: str,
    version: str,
    inference: Inference,
    arrays: Sequence[np.ndarray],
    outputs: Mapping[str, TensorSpec],
    headers: str,
) -> Response:
    """The answer to an infer request.

    Args:
        arrays: One for each wanted output.
        headers: Header lines to be added.
    """
    parts: List[bytes] = []
    described = []
    for wanted, array in zip(inference.wanted, arrays):
        spec = outputs[wanted.name]
        text = '{{"name":{},"datatype":"{}","shape":{},'.format(
            json.dumps(wanted.name), spec.kind.name, json.dumps(list(array.shape))
        )
        if wanted.binary:
            raw = to_binary(array, spec)
            parts.append(raw)
            text += '"parameters":{{"binary_data_size":{}}}}}'.format(len(raw))
        else:
            text += '"data":{}}}'.format(to_json(array, spec))
        described.append(text)
    head = '{{"model_name":{},"model_version":"{}",{}"outputs":[{}]}}'.format(
        json.dumps(name),
        version,
        '"id":{},'.format(json.dumps(inference.id)) if inference.id else "",
        ",".join(described),
    ).encode("utf-8")
    if not parts:
        return Response(200, head, JSON, headers)
    headers += "Inference-Header-Content-Length: {}\r\n".format(len(head))
    return Response(200, b"".join([head, *parts]), BINARY, headers)
