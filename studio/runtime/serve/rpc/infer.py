"""ModelInfer: its messages to what is run, and what came out of it to its messages."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Union

import numpy as np

from ..engine.call import InferenceCall
from ..engine.served_model import ServedModel
from ..http.exchange import Exchange
from ..http.message import Request
from ..protocol.codec import Inference, understood
from ..protocol.tensor_data import bad, described, from_binary, parameters_of, to_binary
from ..protocol.tensors import TensorSpec
from .codec import Fields, encode
from .messages import INFER_RESPONSE
from .reply import Reply, refusal

CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""Data type -> the typed field that holds its elements; others go as raw bytes only."""


class RpcCall(InferenceCall):
    """Reads and answers in the messages of gRPC; runs like every other request."""

    repeats = False

    def __init__(
        self, exchange: Exchange, model: ServedModel, max_body: int, fields: Fields
    ) -> None:
        super().__init__(exchange, model, max_body)
        self._fields = fields
        self.raw = bool(fields.get("raw_input_contents"))

    def is_read_quickly(self, request: Request, most: int) -> bool:
        """As the message was decoded: its raw tensors are taken as they came."""
        return len(request.body) < most or (self.raw and self._model.numeric)

    def _read(self) -> Inference:
        return read(self._fields, self._model)

    def encode(
        self, arrays: Sequence[np.ndarray], inferred: float, runs: int = 1, rows: int = 0
    ) -> None:
        """Make the answer."""
        self.inferred = inferred
        self._runs = runs
        self._rows = rows
        try:
            self._response = answer(self._model, self.inference, arrays, self.raw)
        except Exception as error:  # whatever it is, it becomes the answer to this client
            self._fail_because(error)

    def _fail(self, status: int, reason: str, sentence: str) -> None:
        self._failure = reason
        short = reason == "BACKEND" and status == 503  # of memory
        code = "CANCELLED" if reason == "CANCELED" else "RESOURCE_EXHAUSTED" if short else ""
        self._response = refusal(status, sentence, self._model.headers, code)


def read(fields: Fields, model: ServedModel) -> Inference:
    """Understand a request.

    Raises:
        HttpError: 400, saying what does not fit the model.
    """
    raw: List[memoryview] = list(fields.get("raw_input_contents", ()))
    inputs = fields.get("inputs", ())
    if raw and len(raw) != len(inputs):
        raise bad("There are {} inputs, and raw contents of {}.", len(inputs), len(raw))
    contents = iter(raw)

    def tensor(entry: Fields, spec: TensorSpec) -> np.ndarray:
        shape, count = described(entry, spec)
        parameters_of(entry)
        if not raw:
            return _typed(entry.get("contents", {}), spec, count).reshape(shape)
        if entry.get("contents"):
            raise bad("The input {!r} is given both raw and typed.", spec.name)
        return _raw(next(contents), spec, count).reshape(shape)

    document = {
        "id": fields.get("id", ""),
        "parameters": fields.get("parameters"),
        "inputs": [
            {**entry, "name": entry.get("name", ""), "shape": _sizes(entry)} for entry in inputs
        ],
        "outputs": [
            {**entry, "name": entry.get("name", "")} for entry in fields.get("outputs", ())
        ],
    }
    return understood(document, model.inputs, model.outputs, tensor)


def _sizes(entry: Fields) -> List[int]:
    shape = entry.get("shape")
    return [] if shape is None else shape.tolist()


def _raw(view: memoryview, spec: TensorSpec, count: int) -> np.ndarray:
    # Strings are sliced and decoded, which a view cannot do.
    body: Any = bytes(view) if spec.kind.dtype is None else view
    return from_binary(body, 0, len(view), spec, count)


def _typed(contents: Fields, spec: TensorSpec, count: int) -> np.ndarray:
    field = CONTENTS.get(spec.kind.name)
    if field is None:
        raise bad("The input {!r} is {}: send it raw.", spec.name, spec.kind.name)
    if any(name != field for name in contents):
        raise bad("The input {!r} is {}: only {} fit.", spec.name, spec.kind.name, field)
    values = contents.get(field, ())
    if len(values) != count:
        raise bad(
            "The input {!r} needs {} values for its shape, not {}.", spec.name, count, len(values)
        )
    dtype = spec.kind.dtype
    if dtype is None:
        return _strings(values, spec)
    array = np.asarray(values, dtype if not len(values) else None)
    if dtype.kind in "iu" and len(array):
        limits = np.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise bad("A value of the input {!r} is beyond {}.", spec.name, spec.kind.name)
    array = array.astype(dtype, copy=False)
    return array if array.flags.aligned else array.copy()


def _strings(values: Sequence[bytes], spec: TensorSpec) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    try:
        array[:] = [value.decode("utf-8") for value in values]
    except UnicodeDecodeError:
        raise bad("A string of the input {!r} is not UTF-8.", spec.name) from None
    return array


def answer(
    model: ServedModel, inference: Inference, arrays: Sequence[np.ndarray], raw: bool
) -> Reply:
    """Return the answer, raw where the request was, or where an output has no typed form.

    Args:
        arrays: One for each wanted output.
    """
    specs = [model.outputs[wanted.name] for wanted in inference.wanted]
    raw = raw or any(spec.kind.name not in CONTENTS for spec in specs)
    outputs: List[Dict[str, object]] = []
    for spec, array in zip(specs, arrays):
        entry: Dict[str, object] = {
            "name": spec.name,
            "datatype": spec.kind.name,
            "shape": np.array(array.shape, np.int64),
        }
        if not raw:
            entry["contents"] = {CONTENTS[spec.kind.name]: _elements(array, spec)}
        outputs.append(entry)
    message = {
        "model_name": model.name,
        "model_version": model.version,
        "id": inference.id,
        "outputs": outputs,
        "raw_output_contents": [_buffer(*each) for each in zip(arrays, specs)] if raw else None,
    }
    return Reply(encode(INFER_RESPONSE, message), model.headers)


def _elements(array: np.ndarray, spec: TensorSpec) -> Union[List[bytes], np.ndarray]:
    if spec.kind.dtype is None:
        return [str(value).encode("utf-8") for value in array.reshape(-1)]
    return array.reshape(-1)


def _buffer(array: np.ndarray, spec: TensorSpec) -> Union[bytes, np.ndarray]:
    """Return the elements as bytes, without a copy where possible."""
    if array.dtype == spec.kind.dtype and array.flags.c_contiguous:
        return array
    return to_binary(array, spec)
