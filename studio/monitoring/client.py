"""A small client of the Open Inference Protocol v2 (REST, binary tensors)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from studio.api import Array, TargetError, TensorType, Value

_DTYPES = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": "string",
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What a server says of a model; unknown sizes are None."""

    name: str
    version: str
    inputs: tuple[Value, ...]


class InferenceClient:
    """One connection that is kept open. Not thread-safe."""

    def __init__(self, host: str, port: int, timeout: float = 60.0) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=timeout)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def model(self) -> ServedModel:
        """The first model that is served.

        Raises:
            TargetError: when nothing is served, or no answer comes.
        """
        index = json.loads(self._ask("POST", "/v2/repository/index", b"{}"))
        if not index:
            raise TargetError("No model is served there.")
        document = json.loads(self._ask("GET", f"/v2/models/{index[0]['name']}"))
        inputs = tuple(_value(entry) for entry in document["inputs"])
        versions = document.get("versions") or [""]
        return ServedModel(document["name"], str(versions[-1]), inputs)

    def infer(self, model: str, feeds: Mapping[str, Array]) -> bytes:
        """The answer's body, as it came.

        Raises:
            TargetError: when the server refuses the request or does not answer.
        """
        head, body = encode(feeds)
        headers = {
            "Content-Type": "application/octet-stream",
            "Inference-Header-Content-Length": str(len(head)),
        }
        return self._ask("POST", f"/v2/models/{model}/infer", head + body, headers)

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> bytes:
        try:
            self._connection.request(method, path, body, dict(headers))
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise TargetError(
                f"The server did not answer: {error or type(error).__name__}."
            ) from None
        if answer.status != 200:
            raise TargetError(f"The server refused the request: {_reason(answer.status, content)}")
        return content


def encode(feeds: Mapping[str, Array]) -> tuple[bytes, bytes]:
    """A request's JSON head and its binary tensors."""
    inputs: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for name, array in feeds.items():
        data = numpy.ascontiguousarray(array).tobytes()
        inputs.append(
            {
                "name": name,
                "shape": list(array.shape),
                "datatype": _NAMES[array.dtype.name],
                "parameters": {"binary_data_size": len(data)},
            }
        )
        parts.append(data)
    head = {"inputs": inputs, "parameters": {"binary_data_output": True}}
    return json.dumps(head).encode(), b"".join(parts)


def random_feeds(inputs: Sequence[Value], seed: int = 0) -> dict[str, Array]:
    """Inputs of the right types and shapes; unknown sizes become 1.

    Raises:
        TargetError: for a model that takes texts, for which there are no random inputs.
    """
    generator = numpy.random.default_rng(seed)
    feeds = {}
    for value in inputs:
        assert value.type is not None
        if value.type.dtype == "string":
            raise TargetError(f"The input {value.name} takes texts.", hint="Give samples as data.")
        shape = [size if isinstance(size, int) else 1 for size in value.type.shape or ()]
        numbers = generator.random(shape, dtype=numpy.float32)
        feeds[value.name] = numbers.astype(value.type.dtype)
    return feeds


def _value(entry: Mapping[str, Any]) -> Value:
    sizes = tuple(None if int(size) < 0 else int(size) for size in entry["shape"])
    return Value(entry["name"], TensorType(_DTYPES[entry["datatype"]], sizes))


def _reason(status: int, content: bytes) -> str:
    try:
        return f"{json.loads(content)['error']}"
    except (ValueError, KeyError, TypeError):
        return f"status {status}."
