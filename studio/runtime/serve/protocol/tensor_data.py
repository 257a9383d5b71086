"""Tensors of the Open Inference Protocol: JSON or bytes to arrays, and back."""

from __future__ import annotations

import json
import re
import struct
from typing import Any, Dict, FrozenSet, Mapping, Set, Tuple

import numpy as np

from ..http.message import Body, HttpError
from .bfloat16 import narrowed, widened
from .json_reader import JsonList, Numbers
from .tensors import BY_NAME, TensorSpec

_UNSUPPORTED = ("classification", "shared_memory_region")
_SURROGATE = re.compile("[\\ud800-\\udfff]")
_JSON_TYPES: Dict[str, FrozenSet[type]] = {
    "b": frozenset((bool,)),
    "i": frozenset((int,)),
    "u": frozenset((int,)),
    "f": frozenset((int, float)),
}
"""Kind of a numpy type -> what JSON may hold for it."""
_VALUES = 16 * 1024
"""Of a list that are made into an array at a time, and the other way round."""


def bad(sentence: str, *values: Any) -> HttpError:
    """Return a 400 with a formatted sentence."""
    return HttpError(400, sentence.format(*values))


def parameters_of(entry: Mapping[str, object]) -> Mapping[str, object]:
    """Return the parameters of a request, an input or an output.

    Raises:
        HttpError: 400, when they are no object, or ask for what is not supported.
    """
    parameters = entry.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise bad("The parameters of a request, an input or an output must be an object.")
    for name in _UNSUPPORTED:
        if name in parameters:
            raise bad("The parameter {!r} is not supported.", name)
    return parameters


class BinaryPart:
    """The tensors behind the JSON of a body, taken in the order of the inputs."""

    def __init__(self, body: Body, offset: int, allowed: bool) -> None:
        self._body = body
        self._offset = offset
        self._allowed = allowed

    def next_span(self, size: object, name: str) -> Tuple[int, int]:
        """Return begin and end of the next tensor's bytes."""
        if not self._allowed:
            raise bad("Binary tensors need the header Inference-Header-Content-Length.")
        if type(size) is not int or size < 0:
            raise bad("binary_data_size of the input {!r} must be a number of bytes.", name)
        begin, end = self._offset, self._offset + size
        if end > len(self._body):
            raise bad("The body ends before the {} bytes of the input {!r}.", size, name)
        self._offset = end
        return begin, end

    @property
    def body(self) -> Body:
        """The whole body, that the offsets belong to."""
        return self._body

    def check_used_up(self) -> None:
        """Refuse bytes that belong to no input."""
        left = len(self._body) - self._offset
        if left:
            raise bad("{} bytes at the end of the body belong to no input.", left)


def is_size(value: object) -> bool:
    """Return whether a JSON value is a number of bytes or elements."""
    return type(value) is int and value >= 0


def described(entry: Mapping[str, object], spec: TensorSpec) -> Tuple[Tuple[int, ...], int]:
    """Return the shape that an entry of ``inputs`` declares, and its number of elements.

    Raises:
        HttpError: 400, when its data type or shape is not that of the specification.
    """
    datatype = entry.get("datatype")
    if datatype != spec.kind.name:
        known = isinstance(datatype, str) and datatype in BY_NAME
        comment = "" if known else ", which is not known here"
        raise bad(
            "The input {!r} is {}, not {}{}.",
            spec.name,
            spec.kind.name,
            repr(datatype)[:40],
            comment,
        )
    shape = _shape(entry, spec)
    count = 1
    for size in shape:
        count *= size
    return shape, count


def read_tensor(entry: Mapping[str, object], spec: TensorSpec, binary: BinaryPart) -> np.ndarray:
    """Return the array that an entry of ``inputs`` describes.

    Raises:
        HttpError: 400, when it does not fit the specification or its own shape.
    """
    shape, count = described(entry, spec)
    parameters = parameters_of(entry)
    if "binary_data_size" in parameters:
        if "data" in entry:
            raise bad("The input {!r} is given both as JSON and as binary.", spec.name)
        begin, end = binary.next_span(parameters["binary_data_size"], spec.name)
        array = from_binary(binary.body, begin, end, spec, count)
    elif "data" in entry:
        array = _from_json(entry["data"], spec, count)
    else:
        raise bad("The input {!r} has no data.", spec.name)
    return array.reshape(shape)


def _shape(entry: Mapping[str, object], spec: TensorSpec) -> Tuple[int, ...]:
    given = entry.get("shape")
    if not isinstance(given, list) or not all(is_size(size) for size in given):
        raise bad("The shape of the input {!r} must be a list of sizes.", spec.name)
    shape = tuple(given)
    if len(shape) > 32 or any(size > 1 << 40 for size in shape):
        raise bad("The shape of the input {!r} is too large.", spec.name)
    if not spec.accepts(shape):
        raise bad(
            "The input {!r} has the shape {}, not {}.", spec.name, list(spec.shape), list(shape)
        )
    return shape


def from_binary(body: Body, begin: int, end: int, spec: TensorSpec, count: int) -> np.ndarray:
    """Return the elements between two places of a body, without a copy where possible.

    Raises:
        HttpError: 400, when they are not as many bytes as they should be, or not valid.
    """
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
    body: Body, begin: int, end: int, spec: TensorSpec, count: int
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


def _text(raw: Body, spec: TensorSpec) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise bad("A string of the input {!r} is not UTF-8.", spec.name) from None


def _from_json(data: Any, spec: TensorSpec, count: int) -> np.ndarray:
    if isinstance(data, Numbers) and spec.kind.dtype is None:
        data = data.listed()
    if not isinstance(data, (list, Numbers)):
        raise bad("The data of the input {!r} must be a list.", spec.name)
    if isinstance(data, Numbers):
        array = _numbers_of_pieces(data, spec)
    elif spec.kind.dtype is None:
        array = _strings_from_json(data, spec)
    else:
        array = _numbers_from_json(data, spec)
    if array.size != count:
        raise bad(
            "The input {!r} needs {} values for its shape, not {}.", spec.name, count, array.size
        )
    return array


def _numbers_of_pieces(data: Numbers, spec: TensorSpec) -> np.ndarray:
    """The same array as of the list."""
    _check_kinds(data.kinds, spec)
    return np.concatenate([_in_type(piece.reshape(-1), spec) for piece in data.pieces])


def _in_type(piece: np.ndarray, spec: TensorSpec) -> np.ndarray:
    dtype = spec.kind.dtype
    assert dtype is not None
    with np.errstate(over="ignore"):
        if spec.kind.bits:
            return narrowed(piece.astype(np.float32))
        if dtype.kind == "f":
            return piece.astype(np.float64, copy=False).astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    if piece.size and (int(piece.min()) < limits.min or int(piece.max()) > limits.max):
        raise _beyond(spec)
    return piece.astype(dtype, copy=False)


def _beyond(spec: TensorSpec) -> HttpError:
    return bad("A value of the input {!r} is beyond {}.", spec.name, spec.kind.name)


def _check_kinds(kinds: Set[type], spec: TensorSpec) -> None:
    assert spec.kind.dtype is not None
    if not kinds <= _JSON_TYPES["f" if spec.kind.bits else spec.kind.dtype.kind]:
        raise bad("The input {!r} is {}: its values do not fit.", spec.name, spec.kind.name)


def _numbers_from_json(data: JsonList, spec: TensorSpec) -> np.ndarray:
    """Return an array of a list; a long one is made in pieces to let other threads run."""
    values = _flat(data, spec)
    if len(values) <= _VALUES:
        return _array_of(values, spec)
    starts = range(0, len(values), _VALUES)
    return np.concatenate([_array_of(values[begin : begin + _VALUES], spec) for begin in starts])


def _array_of(values: JsonList, spec: TensorSpec) -> np.ndarray:
    dtype = spec.kind.dtype
    assert dtype is not None
    kind = "f" if spec.kind.bits else dtype.kind
    # Types first: numpy would make room for the longest string once for each value.
    _check_kinds(set(map(type, values)), spec)
    if values and kind in "iu":
        limits = np.iinfo(dtype)
        if min(values) < limits.min or max(values) > limits.max:
            raise _beyond(spec)
    try:
        with np.errstate(over="ignore"):
            if spec.kind.bits:
                return narrowed(np.array(values, np.float32))
            return np.array(values, dtype)
    except OverflowError:
        raise _beyond(spec) from None


def _strings_from_json(data: JsonList, spec: TensorSpec) -> np.ndarray:
    values = _flat(data, spec)
    if not set(map(type, values)) <= {str}:
        raise bad("The input {!r} is BYTES: its values must be strings.", spec.name)
    if any(_SURROGATE.search(value) for value in values):
        raise bad("A string of the input {!r} is not valid Unicode.", spec.name)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _flat(data: JsonList, spec: TensorSpec) -> JsonList:
    """Return the values of a list of lists in order; itself when it is flat already."""
    if not data or type(data[0]) is not list:
        return data
    flat: JsonList = []
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


def numbers_of(array: np.ndarray, spec: TensorSpec) -> np.ndarray:
    """Return the values of the elements, in a type of numpy."""
    return widened(array) if spec.kind.bits else array


def bytes_of(array: np.ndarray) -> memoryview:
    """Return the bytes of a contiguous array, in their place."""
    data: memoryview = array.data
    return data.cast("B")


def to_binary(array: np.ndarray, spec: TensorSpec) -> bytes:
    """Return the elements in row-major order, little-endian; strings with their length in front."""
    if spec.kind.dtype is not None:
        return array.astype(spec.kind.dtype, copy=False).tobytes()
    texts = [str(value).encode("utf-8") for value in array.reshape(-1)]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def to_json(array: np.ndarray, spec: TensorSpec) -> str:
    """Return the elements in row-major order, as a flat JSON list.

    A long one is made in pieces, so that other threads get their turn.
    """
    flat = numbers_of(array, spec).reshape(-1)
    if len(flat) <= _VALUES:
        return _json_of(flat, spec)
    starts = range(0, len(flat), _VALUES)
    pieces = (_json_of(flat[begin : begin + _VALUES], spec)[1:-1] for begin in starts)
    return "[{}]".format(",".join(pieces))


def _json_of(flat: np.ndarray, spec: TensorSpec) -> str:
    text = json.dumps(flat.tolist(), separators=(",", ":"))
    if spec.kind.dtype is None or not ("N" in text or "I" in text):
        return text
    # JSON has no NaN and no infinity; null and a number too large are read as such by clients.
    return text.replace("Infinity", "1e999").replace("NaN", "null")
