"""Infer requests as bytes: what does not fit is a 400, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.runtime.serve.http.message import HttpError
from studio.runtime.serve.protocol.codec import decode
from studio.runtime.serve.protocol.tensors import BY_NAME, TensorSpec

SPECS = {
    "f": TensorSpec("f", BY_NAME["FP32"], (-1, 2)),
    "i": TensorSpec("i", BY_NAME["INT8"], (2,)),
    "s": TensorSpec("s", BY_NAME["BYTES"], (-1,)),
    "b": TensorSpec("b", BY_NAME["BOOL"], (1,)),
}
GOOD = {
    "f": {"name": "f", "datatype": "FP32", "shape": [1, 2], "data": [1, 2.5]},
    "i": {"name": "i", "datatype": "INT8", "shape": [2], "data": [1, -1]},
    "s": {"name": "s", "datatype": "BYTES", "shape": [1], "data": ["a"]},
    "b": {"name": "b", "datatype": "BOOL", "shape": [1], "data": [True]},
}


def ask(tensors: Any, tail: bytes | None = None, **more: Any) -> Any:
    body = json.dumps({"inputs": list(tensors.values()), **more}).encode()
    length = None if tail is None else str(len(body))
    return decode(body + (tail or b""), length, SPECS, SPECS)


def refusal(name: str, tail: bytes | None = None, /, **changes: Any) -> str:
    """The sentence for one changed tensor; None takes a key away."""
    entry = {k: v for k, v in {**GOOD[name], **changes}.items() if v is not None}
    with pytest.raises(HttpError) as caught:
        ask({**GOOD, name: entry}, tail)
    assert caught.value.status == 400
    assert not caught.value.close
    return caught.value.sentence


def test_a_good_request() -> None:
    found = ask(GOOD, id="7", outputs=[{"name": "s"}])
    assert found.id == "7"
    assert found.batch == 1
    assert [wanted.name for wanted in found.wanted] == ["s"]
    np.testing.assert_array_equal(found.feeds["f"], np.array([[1, 2.5]], np.float32))
    assert found.feeds["s"].tolist() == ["a"]


def test_nested_data_is_the_same_as_flat() -> None:
    nested = {**GOOD["f"], "shape": [2, 2], "data": [[1, 2], [3, 4]]}
    found = ask({**GOOD, "f": nested})
    assert found.feeds["f"].tolist() == [[1, 2], [3, 4]]
    assert found.batch == 2


def test_no_rows_are_fine() -> None:
    found = ask({**GOOD, "f": {**GOOD["f"], "shape": [0, 2], "data": []}})
    assert found.feeds["f"].shape == (0, 2)


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("f", {"shape": [1, 3]}, "The input 'f' has the shape [-1, 2], not [1, 3]."),
        ("f", {"shape": [2]}, "has the shape [-1, 2], not [2]"),
        ("f", {"shape": [-1, 2]}, "must be a list of sizes"),
        ("f", {"shape": [1.0, 2]}, "must be a list of sizes"),
        ("f", {"shape": [True, 2]}, "must be a list of sizes"),
        ("f", {"shape": "12"}, "must be a list of sizes"),
        ("f", {"shape": [10**30, 2]}, "too large"),
        ("f", {"shape": None}, "must be a list of sizes"),
        ("f", {"datatype": "FP64"}, "The input 'f' is FP32, not 'FP64'."),
        ("f", {"datatype": "FP8"}, "which is not known here"),
        ("f", {"datatype": None}, "is FP32, not None"),
        ("f", {"data": [1]}, "needs 2 values for its shape, not 1"),
        ("f", {"data": [1, 2, 3]}, "needs 2 values for its shape, not 3"),
        ("f", {"data": ["1", "2"]}, "its values do not fit"),
        ("f", {"data": [None, 1]}, "its values do not fit"),
        ("f", {"data": [[1, 2], 3]}, "is ragged"),
        ("f", {"data": [1, [2]]}, "its values do not fit"),
        ("f", {"data": {"0": 1}}, "must be a list"),
        ("f", {"data": [10**400, 1]}, "is beyond FP32"),
        ("f", {"data": None}, "has no data"),
        ("f", {"parameters": []}, "must be an object"),
        ("f", {"parameters": {"shared_memory_region": "x"}}, "is not supported"),
        ("f", {"parameters": {"binary_data_size": 8}}, "both as JSON and as binary"),
        ("i", {"data": [128, 0]}, "A value of the input 'i' is beyond INT8."),
        ("i", {"data": [1.0, 0]}, "its values do not fit"),
        ("i", {"data": [True, 0]}, "its values do not fit"),
        ("b", {"data": [1]}, "its values do not fit"),
        ("s", {"data": [1]}, "its values must be strings"),
        ("s", {"data": [["a"], ["b"]]}, "needs 1 values for its shape, not 2"),
        ("s", {"data": ["\ud800"]}, "not valid Unicode"),
        ("s", {"name": "t"}, "The model has no input 't'; it has f, i, s, b."),
        ("s", {"name": "f"}, "The input 'f' is given twice."),
        ("s", {"name": None}, "Each input must be an object with a name."),
    ],
)
def test_what_does_not_fit(name: str, changes: dict[str, Any], sentence: str) -> None:
    assert sentence in refusal(name, **changes)


@pytest.mark.parametrize(
    ("name", "size", "tail", "sentence"),
    [
        ("f", 8, b"1234567", "The body ends before the 8 bytes"),
        ("f", 7, b"1234567", "needs 8 bytes for its shape, not 7"),
        ("f", -1, b"", "must be a number of bytes"),
        ("f", "8", b"12345678", "must be a number of bytes"),
        ("f", 8, b"123456789", "1 bytes at the end of the body belong to no input"),
        ("b", 1, b"\x02", "each byte must be 0 or 1"),
        ("s", 3, b"\0\0\0", "fewer strings than its shape needs"),
        ("s", 5, b"\2\0\0\0a", "longer than the input"),
        ("s", 9, b"\1\0\0\0a\0\0\0\0", "more strings than its shape needs"),
        ("s", 5, b"\1\0\0\0\xff", "is not UTF-8"),
        ("s", 4, b"\xff\xff\xff\xff", "longer than the input"),
    ],
)
def test_binary_that_does_not_fit(name: str, size: Any, tail: bytes, sentence: str) -> None:
    changes = {"data": None, "parameters": {"binary_data_size": size}}
    assert sentence in refusal(name, tail, **changes)


def test_binary_needs_the_header() -> None:
    changes = {"data": None, "parameters": {"binary_data_size": 8}}
    assert "Inference-Header-Content-Length" in refusal("f", None, **changes)


@pytest.mark.parametrize("length", ["-1", "99999", "1e1", "", " 1", "9" * 30, "\u00b2"])
def test_a_wrong_header_length(length: str) -> None:
    with pytest.raises(HttpError, match="Inference-Header-Content-Length"):
        decode(b"{}", length, SPECS, SPECS)


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        ([{"name": "x"}], "The model has no output 'x'"),
        ([{"name": "f"}, {"name": "f"}], "asked for twice"),
        (["f"], "Each output must be an object"),
        ({"name": "f"}, "must have a list 'outputs'"),
        ([{"name": "f", "parameters": {"classification": 3}}], "'classification' is not supported"),
    ],
)
def test_wrong_outputs(outputs: Any, sentence: str) -> None:
    with pytest.raises(HttpError) as caught:
        ask(GOOD, outputs=outputs)
    assert sentence in caught.value.sentence


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"inputs": 1}', b"[" * 100_000, b'{"id":' + b"1" * 9999],
)
def test_bodies_that_are_no_request(body: bytes) -> None:
    with pytest.raises(HttpError) as caught:
        decode(body, None, SPECS, SPECS)
    assert caught.value.status == 400


def test_a_long_string_among_numbers_takes_no_memory() -> None:
    # numpy would make room for the long string once for each number: 20 GB.
    data = ["x" * 50_000] + [1] * 100_000
    assert "do not fit" in refusal("f", data=data)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
keys = st.sampled_from(["name", "datatype", "shape", "data", "parameters"])


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(GOOD)),
    st.dictionaries(keys, values, min_size=1, max_size=2),
    st.none() | st.binary(max_size=40),
)
def test_any_json_is_a_request_or_a_400(
    name: str, changes: dict[str, Any], tail: bytes | None
) -> None:
    tensors = {**GOOD, name: {**GOOD[name], **changes}}
    try:
        feeds = ask(tensors, tail).feeds
    except HttpError as error:
        assert_refused_well(error)
    else:
        for spec in SPECS.values():
            assert spec.accepts(feeds[spec.name].shape)


def assert_refused_well(error: HttpError) -> None:
    assert error.status == 400
    assert len(error.sentence) < 400


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 60), st.integers(0, 6))
def test_any_bytes_as_strings_are_read_or_a_400(tail: bytes, size: int, count: int) -> None:
    entry = {"name": "s", "datatype": "BYTES", "shape": [count]}
    entry["parameters"] = {"binary_data_size": size}  # type: ignore[assignment]
    try:
        array = ask({**GOOD, "s": entry}, tail).feeds["s"]
    except HttpError as error:
        assert_refused_well(error)
    else:
        assert size == len(tail) == sum(4 + len(text.encode()) for text in array)
