"""Infer requests of the Open Inference Protocol: JSON and binary tensors to arrays and back."""

from __future__ import annotations

import json
import re
import struct
import sys
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .http.message import BINARY, JSON, HttpError, Response
from .tensors import BY_NAME, TensorSpec

HEADER_LENGTH = "inference-header-content-length"
_UNSUPPORTED = ("classification", "shared_memory_region")
_MAX_DIGITS = 40
_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON_TYPES = {"b": {bool}, "i": {int}, "u": {int}, "f": {int, float}}


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


def bad(sentence: str, *values: Any) -> HttpError:
    """A 400 with a formatted sentence."""
    return HttpError(400, sentence.format(*values))


def decode(
    body: bytes,
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
    binary = _BinaryPart(body, size, header_length is not None)
    feeds: Dict[str, np.ndarray] = {}
    batch = 1
    for entry in _list(document, "inputs"):
        name = _name(entry, "input")
        spec = inputs.get(name)
        if spec is None:
            raise bad("The model has no input {!r}; it has {}.", name, _listed(inputs))
        if name in feeds:
            raise bad("The input {!r} is given twice.", name)
        feeds[name] = _tensor(entry, spec, binary)
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


def _parse(text: bytes) -> Dict[str, Any]:
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


def _parameters(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters = entry.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise bad("The parameters of a request, an input or an output must be an object.")
    for name in _UNSUPPORTED:
        if name in parameters:
            raise bad("The parameter {!r} is not supported.", name)
    return parameters


def _wanted(document: Mapping[str, Any], outputs: Mapping[str, TensorSpec]) -> List[Wanted]:
    default = _parameters(document).get("binary_data_output") is True
    if not document.get("outputs"):
        return [Wanted(name, default) for name in outputs]
    wanted: List[Wanted] = []
    for entry in _list(document, "outputs"):
        name = _name(entry, "output")
        if name not in outputs:
            raise bad("The model has no output {!r}; it has {}.", name, _listed(outputs))
        if any(name == other.name for other in wanted):
            raise bad("The output {!r} is asked for twice.", name)
        binary = _parameters(entry).get("binary_data", default)
        wanted.append(Wanted(name, binary is True))
    return wanted


def _listed(names: Mapping[str, TensorSpec]) -> str:
    return ", ".join(list(names)[:10]) or "none"


# Tensors


class _BinaryPart:
    """The tensors behind the JSON of a body, taken in the order of the inputs."""

    def __init__(self, body: bytes, offset: int, allowed: bool) -> None:
        self._body = body
        self._offset = offset
        self._allowed = allowed

    def take(self, size: Any, name: str) -> Tuple[int, int]:
        """Begin and end of the next tensor's bytes."""
        if not self._allowed:
            raise bad("Binary tensors need the header Inference-Header-Content-Length.")
        if not _is_size(size):
            raise bad("binary_data_size of the input {!r} must be a number of bytes.", name)
        begin, end = self._offset, self._offset + size
        if end > len(self._body):
            raise bad("The body ends before the {} bytes of the input {!r}.", size, name)
        self._offset = end
        return begin, end

    @property
    def body(self) -> bytes:
        """The whole body, that the offsets belong to."""
        return self._body

    def check_used_up(self) -> None:
        """Refuse bytes that belong to no input."""
        left = len(self._body) - self._offset
        if left:
            raise bad("{} bytes at the end of the body belong to no input.", left)


def _is_size(value: Any) -> bool:
    return type(value) is int and value >= 0


def _tensor(entry: Mapping[str, Any], spec: TensorSpec, binary: _BinaryPart) -> np.ndarray:
    datatype = entry.get("datatype")
    if datatype != spec.kind.name:
        known = "" if datatype in BY_NAME else ", which is not known here"
        raise bad(
            "The input {!r} is {}, not {}{}.", spec.name, spec.kind.name, repr(datatype)[:40], known
        )
    shape = _shape(entry, spec)
    count = 1
    for size in shape:
        count *= size
    parameters = _parameters(entry)
    if "binary_data_size" in parameters:
        if "data" in entry:
            raise bad("The input {!r} is given both as JSON and as binary.", spec.name)
        begin, end = binary.take(parameters["binary_data_size"], spec.name)
        array = _from_binary(binary.body, begin, end, spec, count)
    elif "data" in entry:
        array = _from_json(entry["data"], spec, count)
    else:
        raise bad("The input {!r} has no data.", spec.name)
    return array.reshape(shape)


def _shape(entry: Mapping[str, Any], spec: TensorSpec) -> Tuple[int, ...]:
    given = entry.get("shape")
    if not isinstance(given, list) or not all(_is_size(size) for size in given):
        raise bad("The shape of the input {!r} must be a list of sizes.", spec.name)
    shape = tuple(given)
    if len(shape) > 32 or any(size > 1 << 40 for size in shape):
        raise bad("The shape of the input {!r} is too large.", spec.name)
    if not spec.accepts(shape):
        raise bad(
            "The input {!r} has the shape {}, not {}.", spec.name, list(spec.shape), list(shape)
        )
    return shape


def _from_binary(body: bytes, begin: int, end: int, spec: TensorSpec, count: int) -> np.ndarray:
    dtype = spec.kind.dtype
    if dtype is None:
        return _strings_from_binary(body, begin, end, spec, count)
    if end - begin != count * dtype.itemsize:
        raise bad(
            "The input {!r} needs {} bytes for its shape, not {}.",
            spec.name,
            count * dtype.itemsize,
            end - begin,
        )
    if count == 0:
        return np.empty(0, dtype)
    if dtype.kind == "b" and np.frombuffer(body, np.uint8, count, begin).max() > 1:
        raise bad("The input {!r} is BOOL: each byte must be 0 or 1.", spec.name)
    array = np.frombuffer(body, dtype, count, begin)
    return array if array.flags.aligned else array.copy()


def _strings_from_binary(
    body: bytes, begin: int, end: int, spec: TensorSpec, count: int
) -> np.ndarray:
    # Four bytes of length each: the count cannot make the array larger than the body.
    if end - begin < 4 * count:
        raise bad("The input {!r} has fewer strings than its shape needs.", spec.name)
    array = np.empty(count, dtype=object)
    for index in range(count):
        if end - begin < 4:
            raise bad("The input {!r} has fewer strings than its shape needs.", spec.name)
        (size,) = struct.unpack_from("<I", body, begin)
        begin += 4
        if size > end - begin:
            raise bad("A string of the input {!r} is longer than the input.", spec.name)
        array[index] = _text(body[begin : begin + size], spec)
        begin += size
    if begin != end:
        raise bad("The input {!r} has more strings than its shape needs.", spec.name)
    return array


def _text(raw: bytes, spec: TensorSpec) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise bad("A string of the input {!r} is not UTF-8.", spec.name) from None


def _from_json(data: Any, spec: TensorSpec, count: int) -> np.ndarray:
    if not isinstance(data, list):
        raise bad("The data of the input {!r} must be a list.", spec.name)
    if spec.kind.dtype is None:
        array = _strings_from_json(data, spec)
    else:
        array = _numbers_from_json(data, spec)
    if array.size != count:
        raise bad(
            "The input {!r} needs {} values for its shape, not {}.", spec.name, count, array.size
        )
    return array


def _numbers_from_json(data: List[Any], spec: TensorSpec) -> np.ndarray:
    dtype = spec.kind.dtype
    assert dtype is not None
    values = _flat(data, spec)
    # Types first: numpy would make room for the longest string once for each value.
    if not set(map(type, values)) <= _JSON_TYPES[dtype.kind]:
        raise bad("The input {!r} is {}: its values do not fit.", spec.name, spec.kind.name)
    if values and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if min(values) < limits.min or max(values) > limits.max:
            raise bad("A value of the input {!r} is beyond {}.", spec.name, spec.kind.name)
    try:
        with np.errstate(over="ignore"):
            return np.array(values, dtype)
    except OverflowError:
        raise bad("A value of the input {!r} is beyond {}.", spec.name, spec.kind.name) from None


def _strings_from_json(data: List[Any], spec: TensorSpec) -> np.ndarray:
    values = _flat(data, spec)
    if not set(map(type, values)) <= {str}:
        raise bad("The input {!r} is BYTES: its values must be strings.", spec.name)
    if any(_SURROGATE.search(value) for value in values):
        raise bad("A string of the input {!r} is not valid Unicode.", spec.name)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _flat(data: List[Any], spec: TensorSpec) -> List[Any]:
    """The values of a list of lists in order; itself when it is flat already."""
    if not data or type(data[0]) is not list:
        return data
    flat: List[Any] = []
    waiting = [data]
    while waiting:
        values = waiting.pop()
        if values and type(values[0]) is list:
            if not all(type(value) is list for value in values):
                raise bad("The data of the input {!r} is ragged.", spec.name)
            waiting.extend(reversed(values))
        else:
            flat.extend(values)
    return flat


# Answers


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
            raw = _to_binary(array, spec)
            parts.append(raw)
            text += '"parameters":{{"binary_data_size":{}}}}}'.format(len(raw))
        else:
            text += '"data":{}}}'.format(_to_json(array, spec))
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
    return Response(200, b"".join([head] + parts), BINARY, headers)


def _to_binary(array: np.ndarray, spec: TensorSpec) -> bytes:
    if spec.kind.dtype is not None:
        return array.astype(spec.kind.dtype, copy=False).tobytes()
    texts = [str(value).encode("utf-8") for value in array.reshape(-1)]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def _to_json(array: np.ndarray, spec: TensorSpec) -> str:
    values = array.reshape(-1).tolist()
    text = json.dumps(values, separators=(",", ":"))
    if spec.kind.dtype is None or spec.kind.dtype.kind != "f" or ("N" not in text and "I" not in text):
        return text
    # JSON has no NaN and no infinity; null and a number too large are read as such by clients.
    return text.replace("Infinity", "1e999").replace("NaN", "null")
