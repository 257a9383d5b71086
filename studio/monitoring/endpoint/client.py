"""A small client of the Open Inference Protocol v2 (REST, binary tensors)."""

from __future__ import annotations

import http.client
import json
import re
import struct
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import numpy

from studio.api import Array, TargetError, TensorType, Value
from studio.documents.dataclass_json import JsonValue, from_json
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.datatypes import DTYPES, NAMES
from studio.monitoring.endpoint.endpoint import Link

_HEAD_LENGTH = "Inference-Header-Content-Length"
_INVALID = "The server returned an invalid answer."
_REQUEST = "Edgewright-Request"
_REQUEST_ID = re.compile("[0-9a-f-]{1,64}")


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model as its server describes it; unknown sizes are None."""

    name: str
    version: str
    inputs: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class _ModelName:
    """An entry of the index of a server."""

    name: str


@dataclass(frozen=True, slots=True)
class _TensorParameters:
    """The position of a tensor's elements after the JSON."""

    binary_data_size: int = 0


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor of the protocol; without ``data`` its elements follow the JSON."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    parameters: _TensorParameters = _TensorParameters()
    data: object = None


@dataclass(frozen=True, slots=True)
class _Metadata:
    """Description of a model by its server."""

    name: str
    inputs: tuple[_Tensor, ...]
    versions: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    """The JSON of an answer."""

    outputs: tuple[_Tensor, ...]


@dataclass(frozen=True, slots=True)
class _Refusal:
    """The body of an error answer."""

    error: object


@dataclass(frozen=True, slots=True)
class _OverrideAnswer:
    """The answer to an override."""

    entry: int


class InferenceClient:
    """A client with one open connection; not thread-safe.

    Attributes:
        request: Id of the last answer, by which it can be overridden; empty where the server keeps
            no record of its answers.
    """

    def __init__(self, endpoint: Link, timeout: float = 60.0) -> None:
        self.request = ""
        self._endpoint = endpoint
        self._connection = endpoint.connect(timeout)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def model(self) -> ServedModel:
        """Return the first model of the server.

        Raises:
            TargetError: when the server has no model, or does not answer.
        """
        index = json.loads(self._request("POST", "/v2/repository/index", b"{}"))
        if not index:
            raise TargetError("The server has no model.")
        name = from_json(_ModelName, index[0]).name
        found = from_json(_Metadata, json.loads(self._request("GET", f"/v2/models/{name}")))
        version = str(found.versions[-1]) if found.versions else ""
        return ServedModel(found.name, version, tuple(map(_value, found.inputs)))

    def infer(self, model: str, feeds: Mapping[str, Array]) -> bytes:
        """Return the body of the answer to a request.

        Raises:
            TargetError: when the server refuses the request or does not answer.
        """
        return self._infer(model, feeds)[0]

    def outputs(self, model: str, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Return the arrays of the answer by output name.

        Raises:
            TargetError: when the server refuses the request, does not answer, or its answer
                cannot be read.
        """
        return decode(*self._infer(model, feeds))

    def override(self, model: str, texts: Mapping[str, str]) -> int:
        """Record the decision of a person instead of an answer; return the number of its entry.

        Args:
            texts: ``request``, ``decision``, ``reason`` and ``by``.

        Raises:
            TargetError: when the server keeps no record, has no such request, or does not answer.
        """
        headers = {"Content-Type": "application/json"}
        path = f"/edgewright/models/{quote(model, safe='')}/override"
        content, _ = self._answer("POST", path, json.dumps(dict(texts)).encode(), headers)
        try:
            return from_json(_OverrideAnswer, json.loads(content)).entry
        except (ValueError, TypeError) as error:
            raise TargetError(_INVALID, detail=repr(error)) from None

    def _infer(self, model: str, feeds: Mapping[str, Array]) -> tuple[bytes, int]:
        """Return the answer's body, and the length of its JSON head (0: all)."""
        head, body = encode(feeds)
        headers = {
            "Content-Type": "application/octet-stream",
            _HEAD_LENGTH: str(len(head)),
        }
        return self._answer("POST", f"/v2/models/{model}/infer", head + body, headers)

    def _request(self, method: str, path: str, body: bytes | None = None) -> bytes:
        return self._answer(method, path, body, {})[0]

    def _answer(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[bytes, int]:
        try:
            answer = self._endpoint.request(self._connection, method, path, body, headers)
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise TargetError(
                f"The server did not answer: {str(error) or 'no reason given'}."
            ) from None
        if answer.status != 200:
            raise TargetError(f"The server refused the request: {_reason(answer.status, content)}")
        request = answer.getheader(_REQUEST, "")
        self.request = request if _REQUEST_ID.fullmatch(request) else ""
        length = answer.getheader(_HEAD_LENGTH, "0")
        return content, int(length) if length.isdecimal() else 0


def encode(feeds: Mapping[str, Array]) -> tuple[bytes, bytes]:
    """Return a request's JSON head and its binary tensors."""
    inputs: list[JsonValue] = []
    parts: list[bytes] = []
    for name, array in feeds.items():
        data = _bytes_of(array)
        inputs.append(
            {
                "name": name,
                "shape": list(array.shape),
                "datatype": "BYTES" if array.dtype.kind in "OU" else NAMES[array.dtype.name],
                "parameters": {"binary_data_size": len(data)},
            }
        )
        parts.append(data)
    head = {"inputs": inputs, "parameters": {"binary_data_output": True}}
    # The protocol needs the length of the head as a header, so the parts stay separate.
    return json.dumps(head).encode(), b"".join(parts)


def _bytes_of(array: Array) -> bytes:
    """Return the elements in order; a text is its length in four bytes, then its UTF-8."""
    if array.dtype.kind not in "OU":
        return numpy.ascontiguousarray(array).tobytes()
    texts = [str(text).encode() for text in array.reshape(-1)]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def decode(body: bytes, head: int) -> dict[str, Array]:
    """Return the arrays of an answer; arrays of texts hold Python strings.

    Args:
        head: Length of the JSON head; 0 if the body is JSON alone.

    Raises:
        TargetError: when it violates the protocol.
    """
    try:
        answer = from_json(_Answer, json.loads(body[:head] if head else body))
        rest = memoryview(body)[head:] if head else memoryview(b"")
        found: dict[str, Array] = {}
        for tensor in answer.outputs:
            size = tensor.parameters.binary_data_size
            found[tensor.name] = _array(tensor, rest[:size])
            rest = rest[size:]
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise TargetError(_INVALID, detail=repr(error)) from None
    return found


def _array(tensor: _Tensor, data: memoryview) -> Array:
    dtype, shape = DTYPES[tensor.datatype], tensor.shape
    if dtype == "string":
        texts = _texts(bytes(data)) if tensor.data is None else tensor.data
        return numpy.array(texts, dtype=object).reshape(shape)
    if tensor.data is not None:
        return numpy.array(tensor.data, dtype=dtype).reshape(shape)
    return numpy.frombuffer(data, dtype=dtype).reshape(shape)


def _texts(data: bytes) -> list[str]:
    """Return elements of the type BYTES, each after its length in four bytes, little-endian."""
    texts, start = [], 0
    while start < len(data):
        (length,) = struct.unpack_from("<I", data, start)
        texts.append(data[start + 4 : start + 4 + length].decode("utf-8", "replace"))
        start += 4 + length
    return texts


def random_feeds(inputs: Sequence[Value], seed: int = 0) -> dict[str, Array]:
    """Return random inputs of valid types; unknown sizes become 1, texts are numbers."""
    generator = numpy.random.default_rng(seed)
    feeds = {}
    for value in inputs:
        assert value.type is not None
        shape = [size if isinstance(size, int) else 1 for size in value.type.shape or ()]
        if value.type.dtype == "string":
            feeds[value.name] = generator.integers(0, 2, shape).astype(str).astype(object)
            continue
        numbers = generator.random(shape, dtype=numpy.float32)
        feeds[value.name] = numbers.astype(value.type.dtype)
    return feeds


def _value(tensor: _Tensor) -> Value:
    sizes = tuple(None if size < 0 else size for size in tensor.shape)
    return Value(tensor.name, TensorType(DTYPES[tensor.datatype], sizes))


def _reason(status: int, content: bytes) -> str:
    try:
        return f"{from_json(_Refusal, json.loads(content)).error}"
    except ValueError:
        return f"status {status}."
