"""bfloat16: its rounding against another implementation, and a model that takes and gives it."""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from onnx import TensorProto, helper

from studio.runtime.backends import bfloat16 as native
from studio.runtime.serve.engine.served_model import load
from studio.runtime.serve.engine.session import ModelSession
from studio.runtime.serve.engine.source import from_file
from studio.runtime.serve.protocol import bfloat16
from studio.runtime.shared.errors import LoadError
from tests.unit.runtime.serve import rig

INFER = "/v2/models/double/infer"


def double(path: Path, beside: int = TensorProto.DOUBLE) -> Path:
    """Twice its input, which is bfloat16 as its output is; and another one beside it, unchanged."""
    kinds, node, value = TensorProto, helper.make_node, helper.make_tensor_value_info
    return rig.save_model(
        path,
        [
            node("Cast", ["x"], ["wide"], to=kinds.FLOAT),
            node("Add", ["wide", "wide"], ["twice"]),
            node("Cast", ["twice"], ["y"], to=kinds.BFLOAT16),
            node("Identity", ["other"], ["same"]),
        ],
        [value("x", kinds.BFLOAT16, ["n", 3]), value("other", beside, ["n"])],
        [value("y", kinds.BFLOAT16, ["n", 3]), value("same", beside, ["n"])],
    )


def alone(path: Path) -> Path:
    """The same without the other one."""
    kinds, node, value = TensorProto, helper.make_node, helper.make_tensor_value_info
    return rig.save_model(
        path,
        [
            node("Cast", ["x"], ["wide"], to=kinds.FLOAT),
            node("Add", ["wide", "wide"], ["twice"]),
            node("Cast", ["twice"], ["y"], to=kinds.BFLOAT16),
        ],
        [value("x", kinds.BFLOAT16, ["n", 3])],
        [value("y", kinds.BFLOAT16, ["n", 3])],
    )


@given(arrays.arrays(np.uint32, arrays.array_shapes(min_dims=0, min_side=0)))
def test_rounding_is_that_of_another_implementation(bits: np.ndarray) -> None:
    numbers = bits.view(np.float32)
    with np.errstate(invalid="ignore"):
        expected = numbers.astype(ml_dtypes.bfloat16)
    found = bfloat16.narrowed(numbers)
    assert found.dtype == np.uint16
    assert found.shape == numbers.shape
    wide = expected.astype(np.float32)
    np.testing.assert_array_equal(bfloat16.widened(found), wide)  # not-a-numbers are equal here
    kept = ~np.isnan(wide)
    np.testing.assert_array_equal(found[kept], expected.view(np.uint16)[kept])


@given(st.integers(0, 0xFFFF))
def test_every_bfloat16_comes_back(bits: int) -> None:
    wide = bfloat16.widened(np.array([bits], np.uint16))
    again = bfloat16.narrowed(wide)
    assert np.isnan(wide[0]) or again[0] == bits


def test_bits_travel_as_they_are_and_numbers_as_json(tmp_path: Path) -> None:
    bits = np.array([[0x3F80, 0xC040, 0x0001], [0x7F80, 0x4049, 0x8000]], "<u2")
    other = {"name": "other", "datatype": "FP64", "shape": [2], "data": [0.1, 5]}
    x = {"name": "x", "datatype": "BF16", "shape": [2, 3]}
    raw = {**x, "parameters": {"binary_data_size": 12}}
    output = {"name": "y", "parameters": {"binary_data": True}}
    head = json.dumps({"inputs": [other, raw], "outputs": [output]}).encode()
    with rig.ServerProcess(f"--model={double(tmp_path / 'double.onnx')}", log=tmp_path / "l") as s:
        metadata = s.get("/v2/models/double")[1]
        connection = s.connect()
        headers = {"Inference-Header-Content-Length": str(len(head))}
        connection.request("POST", INFER, head + bits.tobytes(), headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        size = int(answer.headers["Inference-Header-Content-Length"])
        binary = np.frombuffer(answer.read()[size:], "<u2")
        connection.close()
        numbers = {**x, "data": [[1, -3.0, 0.3], [1e39, 3.140625, -0.0]]}
        status, document = s.call("POST", INFER, {"inputs": [other, numbers]})
        wrong = s.call("POST", INFER, {"inputs": [other, {**x, "data": [True] * 6}]})
    assert metadata["inputs"][0] == {"name": "x", "datatype": "BF16", "shape": [-1, 3]}
    assert answer.status == 200
    expected = (bits.view(ml_dtypes.bfloat16).astype(np.float32) * 2).astype(ml_dtypes.bfloat16)
    assert binary.tolist() == expected.view(np.uint16).ravel().tolist()
    assert status == 200, document
    y, same = document["outputs"]
    assert (y["datatype"], same["data"]) == ("BF16", [0.1, 5.0])
    assert y["data"] == [2.0, -6.0, 0.6015625, float("inf"), 6.28125, 0.0]
    assert wrong[0] == 400


def test_other_contracts_send_and_get_numbers(tmp_path: Path) -> None:
    with rig.ServerProcess(f"--model={alone(tmp_path / 'double.onnx')}", log=tmp_path / "l") as s:
        found = s.call("POST", "/invocations", {"instances": [[1, 2.5, 0.3], [4, 5, 6]]})
    assert found == (200, {"predictions": [[2.0, 5.0, 0.6015625], [8.0, 10.0, 12.0]]})


def test_a_session_takes_and_gives_bits(tmp_path: Path) -> None:
    model = load(from_file(alone(tmp_path / "a.onnx")), 1)
    rows = np.array([[0x3F80] * 3, [0x4000] * 3], np.uint16)
    (found,) = model.session.run({"x": rows}, ["y"])
    assert found.tolist() == [[0x4000] * 3, [0x4080] * 3]
    (nothing,) = model.session.run({"x": rows[:0]}, ["y"])
    assert nothing.shape == (0, 3)
    rows.flags.writeable = False
    assert model.session.run({"x": rows[1:]}, ["y"])[0].tolist() == [[0x4080] * 3]


def test_text_beside_bfloat16_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="takes text beside bfloat16"):
        ModelSession(double(tmp_path / "a.onnx", TensorProto.STRING), 1)


def test_an_old_onnxruntime_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "can_run", lambda: False)
    with pytest.raises(LoadError, match=r"bfloat16.*older onnxruntime"):
        ModelSession(alone(tmp_path / "a.onnx"), 1)
