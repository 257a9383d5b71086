"""A bundle's golden samples, asked of the running server as any client would ask."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from textwrap import shorten
from typing import Dict, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from ..release.trial.golden_check import compare, read_sample
from ..serve.protocol.codec import HEADER_LENGTH
from ..serve.protocol.tensor_data import from_binary, to_binary
from ..serve.protocol.tensors import BY_NAME, DATA_TYPES, DataType, TensorSpec
from ..shared import manifest
from ..shared.documents import read_record


class _Parameters(NamedTuple):
    """Where the elements of an output stand."""

    binary_data_size: int


class _Output(NamedTuple):
    """An output of an answer."""

    name: str
    datatype: str
    shape: Tuple[int, ...]
    parameters: _Parameters


class _Answer(NamedTuple):
    """The JSON of an answer."""

    outputs: Tuple[_Output, ...]


class _Tolerance(NamedTuple):
    """Largest accepted difference between an answer and its expected value."""

    rtol: float
    atol: float


class _Bundle(NamedTuple):
    """The part of a manifest about golden samples."""

    golden: _Tolerance


def ask_golden(
    link: http.client.HTTPConnection, headers: Mapping[str, str], bundle: Path
) -> Dict[str, object]:
    """Send every golden sample of a bundle and compare the answers; prompts expect none.

    Returns:
        ``samples``, ``mismatches`` and ``max_error`` (largest absolute difference).

    Raises:
        OSError, ValueError: when the server does not answer, or lacks a requested output.
    """
    what = manifest.read(bundle)
    golden = read_record(_Bundle, what.raw).golden
    worst, mismatches = 0.0, 0
    paths = sorted((bundle / "golden").glob("*.npz"))
    for path in paths:
        feeds, expected = read_sample(path)
        answers = _infer(link, headers, what.name, feeds, expected)
        error, same = compare(answers, expected, golden.rtol, golden.atol)
        worst, mismatches = max(worst, error), mismatches + (not same)
    return {"samples": len(paths), "mismatches": mismatches, "max_error": worst}


def _infer(
    link: http.client.HTTPConnection,
    headers: Mapping[str, str],
    name: str,
    feeds: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
) -> Dict[str, np.ndarray]:
    head, tensors = _request(feeds, sorted(expected))
    lengths = {HEADER_LENGTH: str(len(head)), "Content-Type": "application/octet-stream"}
    path = "/v2/models/{}/infer".format(name)
    link.request("POST", path, head + tensors, {**headers, **lengths})
    response = link.getresponse()
    content = response.read()
    if response.status != 200:
        said = shorten(content.decode("utf-8", "replace"), 300, placeholder=" ...")
        raise ValueError("it answered {}: {}".format(response.status, said))
    if not expected:  # a prompt, of which any answer will do
        return {}
    return _arrays(content, int(response.headers[HEADER_LENGTH]))


def _request(feeds: Mapping[str, np.ndarray], wanted: Sequence[str]) -> Tuple[bytes, bytes]:
    inputs, parts = [], []
    for name, array in feeds.items():
        spec = TensorSpec(name, _kind(array), array.shape)
        part = to_binary(array, spec)
        inputs.append(
            {
                "name": name,
                "shape": list(array.shape),
                "datatype": spec.kind.name,
                "parameters": {"binary_data_size": len(part)},
            }
        )
        parts.append(part)
    outputs = [{"name": name, "parameters": {"binary_data": True}} for name in wanted]
    return json.dumps({"inputs": inputs, "outputs": outputs}).encode(), b"".join(parts)


def _kind(array: np.ndarray) -> DataType:
    return next((kind for kind in DATA_TYPES if kind.dtype == array.dtype), BY_NAME["BYTES"])


def _arrays(content: bytes, length: int) -> Dict[str, np.ndarray]:
    """Return the outputs of a binary answer."""
    found, begin = {}, length
    answer = read_record(_Answer, json.loads(content[:length].decode("utf-8")))
    for output in answer.outputs:
        count = 1
        for size in output.shape:
            count *= size
        end = begin + output.parameters.binary_data_size
        spec = TensorSpec(output.name, BY_NAME[output.datatype], output.shape)
        found[spec.name] = from_binary(content, begin, end, spec, count).reshape(output.shape)
        begin = end
    return found
