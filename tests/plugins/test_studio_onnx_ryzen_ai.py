"""AMD's table, on small quantized ONNX files."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import Compiled, Silent, Unavailable
from studio_onnx.ryzen_ai import RyzenAi
from tests.plugins.onnx_files import floats, model, save


def quantized(
    path: Path, operator: str, point: object, *, dtype: type = numpy.int8, domain: str = ""
) -> Path:
    """One operator between two pairs of QuantizeLinear and DequantizeLinear."""
    constants = [numpy_helper.from_array(numpy.array(0.1, numpy.float32), "scale")]
    ends = ["scale"]
    if point is not None:
        constants.append(numpy_helper.from_array(numpy.array(point, dtype), "zero"))
        ends.append("zero")
    nodes = [
        helper.make_node("QuantizeLinear", ["x", *ends], ["xq"], "q1"),
        helper.make_node("DequantizeLinear", ["xq", *ends], ["xf"], "d1"),
        helper.make_node(operator, ["xf"], ["yf"], "middle", domain=domain),
        helper.make_node("QuantizeLinear", ["yf", *ends], ["yq"], "q2"),
        helper.make_node("DequantizeLinear", ["yq", *ends], ["y"], "d2"),
    ]
    sets = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    shapes = floats("x", [1, 4]), floats("y", [1, 4])
    return save(model(nodes, [shapes[0]], [shapes[1]], constants, opset_imports=sets), path)


def compiled(path: Path) -> Compiled:
    folder = path.parent
    return RyzenAi().compile(path, folder / "out", {}, {}, folder, Silent())


def refused(made: Compiled) -> dict[str, str]:
    return {one.name: one.reason for one in made.nodes if not one.on_chip}


def test_a_symmetric_model_in_8_bits_is_placed_whole(tmp_path: Path) -> None:
    made = compiled(quantized(tmp_path / "m.onnx", "Relu", 0))
    assert len(made.nodes) == 5
    assert refused(made) == {}
    assert "those of A8W8" in made.warnings[0]
    assert refused(compiled(quantized(tmp_path / "u.onnx", "Relu", 128, dtype=numpy.uint8))) == {}


def test_the_table_follows_from_the_activations(tmp_path: Path) -> None:
    """AMD's table has Tanh for activations of 16 bits, not of 8."""
    (reason,) = refused(compiled(quantized(tmp_path / "m.onnx", "Tanh", 0))).values()
    assert reason == "AMD's table for A8W8 has no Tanh."
    made = compiled(quantized(tmp_path / "w.onnx", "Tanh", 0, dtype=numpy.int16))
    assert refused(made) == {}
    assert "those of A16W8" in made.warnings[0]


@pytest.mark.parametrize(
    ("point", "dtype", "words"),
    [
        (3, numpy.int8, "3 in int8"),
        (0, numpy.uint8, "0 in uint8"),
        (None, numpy.uint8, "0 in uint8"),
    ],
)
def test_ranges_have_to_be_symmetric(
    tmp_path: Path, point: object, dtype: type, words: str
) -> None:
    made = compiled(quantized(tmp_path / "m.onnx", "Relu", point, dtype=dtype))
    assert set(refused(made)) == {"q1", "q2"}
    assert (
        refused(made)["q1"] == f"Its zero point is {words}, and AMD's NPU takes symmetric ranges."
    )
    assert {one.preset for one in made.nodes if not one.on_chip} == {"int8-tensorrt"}


def test_an_operator_of_another_domain_is_not_in_the_table(tmp_path: Path) -> None:
    made = compiled(quantized(tmp_path / "m.onnx", "Relu", 0, domain="own"))
    assert set(refused(made)) == {"middle"}


def test_a_float_model_is_not_judged(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"], "relu")]
    path = save(model(nodes, [floats("x", [1])], [floats("y", [1])]), tmp_path / "m.onnx")
    with pytest.raises(Unavailable, match="lacks Relu and Softmax") as caught:
        compiled(path)
    assert "int8-tensorrt" in (caught.value.hint or "")


def test_a_computed_zero_point_is_not_judged(tmp_path: Path) -> None:
    zero = helper.make_tensor_value_info("zero", TensorProto.INT8, [])
    scale = [numpy_helper.from_array(numpy.array(0.1, numpy.float32), "scale")]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"], "q"),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"], "d"),
    ]
    ends = [floats("x", [1, 4]), zero], [floats("y", [1, 4])]
    assert refused(compiled(save(model(nodes, *ends, scale), tmp_path / "m.onnx"))) == {}
