"""Infer requests of the Open Inference Protocol and the answers to them."""

from __future__ import annotations

import json
import sys
from textwrap import shorten
from typing import Callable, Dict, Hashable, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from ..http.message import BINARY, JSON, Body, Response, start_of
from .json_reader import JsonList, JsonObject, PieceReader
from .request_template import (
    AnswerHead,
    InputSlot,
    RequestedOutput,
    RequestTemplate,
    RequestTemplates,
)
from .tensor_data import BinaryPart, bad, parameters_of, read_tensor, to_binary, to_json
from .tensors import TensorSpec

HEADER_LENGTH = "inference-header-content-length"
_MAX_DIGITS = 40
_LARGE = 256 * 1024
"""Bytes of JSON that are read in pieces."""

Read = Callable[[JsonObject, TensorSpec], np.ndarray]


class Inference(NamedTuple):
    """Decoded inference request of a client.

    Attributes:
        id: The client's own, sent back with the answer; empty when it gave none.
        batch: Size of the first dimension of the first input.
        plan: Template of its JSON, where that is cached.
        kind: Key shared by requests that can run together; None when none can.
    """

    id: str
    feeds: Dict[str, np.ndarray]
    wanted: List[RequestedOutput]
    batch: int
    plan: Optional[RequestTemplate] = None
    kind: Optional[Hashable] = None

    @property
    def size(self) -> int:
        """Bytes of its inputs."""
        if self.plan is not None:
            return self.plan.size
        return sum(array.nbytes for array in self.feeds.values())


def kind_of(
    feeds: Mapping[str, np.ndarray], wanted: Sequence[RequestedOutput]
) -> Optional[Hashable]:
    """Names and shapes of the rows; None when the inputs do not have the same number of rows."""
    shapes = [array.shape for array in feeds.values()]
    if not all(shapes) or len({shape[0] for shape in shapes}) != 1:
        return None
    rows = tuple((name, array.shape[1:]) for name, array in feeds.items())
    return rows, tuple(output.name for output in wanted)


def decode(
    body: Body,
    header_length: Optional[str],
    inputs: Mapping[str, TensorSpec],
    outputs: Mapping[str, TensorSpec],
    plans: Optional[RequestTemplates] = None,
) -> Inference:
    """Read an infer request.

    Args:
        header_length: Value of Inference-Header-Content-Length: bytes of JSON in front of the
            binary tensors; None when the body is JSON alone.
        plans: What is kept between requests.

    Raises:
        HttpError: 400, saying what does not fit the model.
    """
    if header_length is None:
        return _decode(body, body, 0, inputs, outputs)
    size = _size_of_json(header_length, len(body))
    text = bytes(memoryview(body)[:size])
    plan = plans.find(text) if plans is not None else None
    if plan is not None and len(body) - size == plan.size:
        return Inference("", plan.feeds(body, size), plan.wanted, plan.batch, plan, plan.kind)
    return _decode(body, text, size, inputs, outputs, plans)


def _decode(
    body: Body,
    text: Body,
    offset: int,
    inputs: Mapping[str, TensorSpec],
    outputs: Mapping[str, TensorSpec],
    plans: Optional[RequestTemplates] = None,
) -> Inference:
    """Read the JSON; the binary tensors, if there are some, begin at the offset of the body."""
    document = parse_json(text, tensors="data")
    binary = BinaryPart(body, offset or len(body), offset > 0)
    found = understood(
        document, inputs, outputs, lambda entry, spec: read_tensor(entry, spec, binary)
    )
    binary.check_used_up()
    if plans is not None and not found.id:
        plan = _plan(found, inputs, len(body) - offset)
        if plan is not None:
            plans.store(bytes(text), plan)
            found = found._replace(plan=plan)
    return found


def understood(
    document: Mapping[str, object],
    inputs: Mapping[str, TensorSpec],
    outputs: Mapping[str, TensorSpec],
    read: Read,
) -> Inference:
    """Return the request that a document describes, whatever it came in.

    Args:
        read: Makes the array of an entry of ``inputs``.

    Raises:
        HttpError: 400, saying what does not fit the model.
    """
    feeds: Dict[str, np.ndarray] = {}
    batch = 1
    for entry in _list(document, "inputs"):
        name = _name(entry, "input")
        spec = inputs.get(name)
        if spec is None:
            raise bad("The model has no input {!r}; it has {}.", name, _listed(inputs))
        if name in feeds:
            raise bad("The input {!r} is given twice.", name)
        feeds[name] = read(entry, spec)
        if len(feeds) == 1 and feeds[name].ndim:
            batch = int(feeds[name].shape[0])
    missing = [name for name in inputs if name not in feeds]
    if missing:
        raise bad("The input {!r} is missing.", missing[0])
    wanted = _requested_outputs(document, outputs)
    return Inference(_id(document), feeds, wanted, batch, None, kind_of(feeds, wanted))


def _plan(
    found: Inference, inputs: Mapping[str, TensorSpec], size: int
) -> Optional[RequestTemplate]:
    """Return the reusable template of a request; none with strings or values to check."""
    slots = []
    begin = 0
    for name, array in found.feeds.items():
        dtype = inputs[name].kind.dtype
        if dtype is None or dtype.kind == "b" or not array.size:
            return None
        slots.append(InputSlot(name, dtype, begin, array.size, array.shape))
        begin += array.nbytes
    # Some came as JSON when the sizes differ: their values are in the text.
    return (
        RequestTemplate(slots, found.wanted, size, found.batch, found.kind)
        if begin == size
        else None
    )


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


def parse_json(text: Body, tensors: str = "") -> JsonObject:
    """Return the JSON object of a body.

    Args:
        tensors: See ``PieceReader``.

    Raises:
        HttpError: 400, when it is not an object.
    """
    try:
        if len(text) < _LARGE:
            document = _DECODER.decode(text.decode("utf-8"))
        else:
            document = PieceReader(text.decode("utf-8"), _DECODER, tensors).read()
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise bad(
            "The request is not valid JSON: {}.", shorten(reason, 300, placeholder=" ...")
        ) from None
    if not isinstance(document, dict):
        raise bad("The request must be a JSON object.")
    return document


def _list(document: Mapping[str, object], key: str) -> JsonList:
    value = document.get(key)
    if not isinstance(value, list):
        raise bad("The request must have a list {!r}.", key)
    return value


def _name(entry: object, what: str) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        raise bad("Each {} must be an object with a name.", what)
    return name


def _id(document: Mapping[str, object]) -> str:
    value = document.get("id", "")
    if not isinstance(value, str):
        raise bad("The id of a request must be a string.")
    return value


def _requested_outputs(
    document: Mapping[str, object], outputs: Mapping[str, TensorSpec]
) -> List[RequestedOutput]:
    default = parameters_of(document).get("binary_data_output") is True
    if not document.get("outputs"):
        return [RequestedOutput(name, default) for name in outputs]
    wanted: List[RequestedOutput] = []
    for entry in _list(document, "outputs"):
        name = _name(entry, "output")
        if name not in outputs:
            raise bad("The model has no output {!r}; it has {}.", name, _listed(outputs))
        if any(name == other.name for other in wanted):
            raise bad("The output {!r} is asked for twice.", name)
        binary = parameters_of(entry).get("binary_data", default)
        wanted.append(RequestedOutput(name, binary is True))
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
    """Return the answer to an infer request.

    Args:
        arrays: One for each wanted output.
        headers: Header lines to be added.
    """
    plan = inference.plan
    if plan is None or not plan.binary:
        return _encode(name, version, inference, arrays, outputs, headers)
    shapes = tuple([array.shape for array in arrays])
    start = plan.starts.get(shapes)
    if start is not None:
        response = Response(200, start.json, BINARY)
        response.start = start.head
        response.parts = arrays
        return response
    response = _encode(name, version, inference, arrays, outputs, headers)
    if all(_goes_as_it_is(array, outputs[w.name]) for w, array in zip(plan.wanted, arrays)):
        plan.store_head(shapes, AnswerHead(start_of(response), response.body))
    return response


def _goes_as_it_is(array: np.ndarray, spec: TensorSpec) -> bool:
    return array.dtype == spec.kind.dtype and array.flags.c_contiguous and array.size > 0


def _encode(
    name: str,
    version: str,
    inference: Inference,
    arrays: Sequence[np.ndarray],
    outputs: Mapping[str, TensorSpec],
    headers: str,
) -> Response:
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
    response = Response(200, head, BINARY, headers)
    response.parts = parts
    return response
