"""Pairs around layers: what onnxruntime's own quantizer writes, but for two improvements."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
import pytest
from onnx import helper, numpy_helper

from studio.api import Silent
from studio_onnxruntime.qdq import Format, add_pairs, parameters, rounded_weight
from studio_onnxruntime.static_int8 import StaticInt8

from . import models
from .test_studio_onnxruntime import Noise, run

RANDOM = numpy.random.default_rng(5)
WEIGHTS = {
    "w": RANDOM.normal(size=(4, 3, 3, 3)).astype("float32"),
    "p": RANDOM.normal(size=(4, 4, 1, 1)).astype("float32"),
    "b": RANDOM.normal(size=4).astype("float32"),
}
RANGES = {"x": (-4.2, 4.0), "a": (-20.0, 20.0), "r": (0.0, 20.0), "y": (-60.0, 60.0)}


def model(folder: Path) -> onnx.ModelProto:
    """Two convolutions, the second of which reads what an addition reads as well."""
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["a"], "first", pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["r"], "relu"),
        helper.make_node("Conv", ["r", "p", "b"], ["c"], "second"),
        helper.make_node("Add", ["r", "c"], ["y"], "add"),
    ]
    shapes = {"x": [1, 3, 8, 8]}, {"y": [1, 4, 8, 8]}
    return onnx.load(str(models.save(folder / "m.onnx", nodes, *shapes, WEIGHTS)))


def layer(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    return next(node for node in graph.node if node.name == name)


def test_bytes_are_those_of_the_runtimes_own_quantizer(tmp_path: Path) -> None:
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.calibrate import TensorData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.quant_utils import load_model_with_shape_infer

    model(tmp_path)
    quantizer = QDQQuantizer(
        load_model_with_shape_infer(tmp_path / "m.onnx"),
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range={
            name: TensorData(lowest=numpy.float32(low), highest=numpy.float32(high))
            for name, (low, high) in {**RANGES, "c": (-40.0, 40.0)}.items()
        },
        nodes_to_quantize=["first", "second"],
        nodes_to_exclude=[],
        op_types_to_quantize=["Conv"],
        extra_options={},
    )
    quantizer.quantize_model()
    theirs = {t.name: numpy_helper.to_array(t) for t in quantizer.model.model.graph.initializer}
    ours_model = model(tmp_path)
    add_pairs(ours_model, ["first", "second"], {**RANGES, "c": (-40.0, 40.0)}, Format(False))
    ours = {t.name: numpy_helper.to_array(t) for t in ours_model.graph.initializer}
    for name in ("w_quantized", "p_quantized", "x_zero_point", "r_zero_point"):
        assert numpy.array_equal(ours[name], theirs[name]), name
    for name in ("w_scale", "p_scale", "x_scale", "a_scale"):
        assert numpy.allclose(ours[name], theirs[name], rtol=1e-6), name
    assert ours["b_quantized"].dtype == numpy.int32


def test_symmetric_activations_have_the_zero_point_0(tmp_path: Path) -> None:
    made = model(tmp_path)
    form = Format(True, symmetric=True, float_biases=True)
    add_pairs(made, ["first", "second"], {**RANGES, "c": (-40.0, 40.0)}, form)
    constants = {t.name: numpy_helper.to_array(t) for t in made.graph.initializer}
    zeros = {name: value for name, value in constants.items() if name.endswith("zero_point")}
    assert {value.dtype for value in zeros.values()} == {numpy.dtype("int8")}
    assert not any(value.any() for value in zeros.values())
    for name, most in (("x", 4.2), ("r", 20.0), ("c", 40.0)):
        assert numpy.isclose(constants[f"{name}_scale"], most / 127, rtol=1e-6), name
    assert "b_quantized" not in constants
    assert layer(made.graph, "first").input[2] == "b"
    onnx.checker.check_model(made, full_check=True)


@pytest.mark.parametrize("ends", [(-3.0, 0.5), (0.0, 7.0), (-2.0, 0.0), (0.0, 0.0)])
def test_symmetric_steps_reach_both_ends(ends: tuple[float, float]) -> None:
    scale, zero = Format(True, symmetric=True).steps(ends)
    most = max(map(abs, ends))
    assert zero == 0
    assert not most or numpy.isclose(scale * 127, most, rtol=1e-6)


def test_a_float_reader_of_a_float_value_is_not_rounded(tmp_path: Path) -> None:
    made = model(tmp_path)
    add_pairs(made, ["second"], RANGES, Format(False))
    assert layer(made.graph, "add").input[0] == "r"
    assert layer(made.graph, "second").input[0] == "r_DequantizeLinear_Output"
    onnx.checker.check_model(made, full_check=True)


def test_what_a_byte_layer_makes_is_rounded_for_all(tmp_path: Path) -> None:
    made = model(tmp_path)
    add_pairs(made, ["first"], RANGES, Format(False))
    assert layer(made.graph, "relu").input[0] == "a_DequantizeLinear_Output"
    onnx.checker.check_model(made, full_check=True)


def test_an_output_of_the_graph_keeps_its_name(tmp_path: Path) -> None:
    made = model(tmp_path)
    made.graph.output.append(
        helper.make_tensor_value_info("a", onnx.TensorProto.FLOAT, [1, 4, None, None])
    )
    made.graph.node.append(helper.make_node("Conv", ["a", "p"], ["z"], "third"))
    made.graph.output.append(
        helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, [1, 4, None, None])
    )
    add_pairs(made, ["first", "third"], RANGES, Format(False))
    maker = next(node for node in made.graph.node if "a" in node.output)
    assert maker.op_type == "DequantizeLinear"
    assert layer(made.graph, "third").input[0] == "a"
    onnx.checker.check_model(made, full_check=True)


def scaled(folder: Path) -> onnx.ModelProto:
    """A product with a bias, moved to another shape; the last product leaves the graph."""
    nodes = [
        helper.make_node("MatMul", ["x", "m"], ["a"], "first"),
        helper.make_node("Add", ["a", "d"], ["s"], "bias"),
        helper.make_node("Transpose", ["s"], ["t"], "turn", perm=[1, 0]),
        helper.make_node("MatMul", ["t", "n"], ["y"], "second"),
    ]
    weights = {
        "m": RANDOM.normal(size=(3, 4)),
        "d": [9.0, -9, 1, 2],
        "n": RANDOM.normal(size=(2, 5)),
    }
    constants = {name: numpy.asarray(one, "float32") for name, one in weights.items()}
    shapes = {"x": [2, 3]}, {"y": [4, 5]}
    return onnx.load(str(models.save(folder / "m.onnx", nodes, *shapes, constants)))


ENDS = {
    "x": (-3.0, 3.0),
    "a": (-7.0, 7.0),
    "s": (-16.0, 16.0),
    "t": (-9.0, 9.0),
    "y": (-40.0, 30.0),
}


def test_what_every_layer_makes_is_rounded_where_it_is_wanted(tmp_path: Path) -> None:
    """A product that ends the graph too; no layer is left with a float at its end."""
    made = scaled(tmp_path)
    add_pairs(made, ["first", "second"], ENDS, Format(False, all_outputs=True))
    maker = next(node for node in made.graph.node if "y" in node.output)
    assert maker.op_type == "DequantizeLinear"
    assert layer(made.graph, "bias").input[:] == ["a_DequantizeLinear_Output", "d"]
    assert layer(made.graph, "turn").input[:] == ["s"]
    onnx.checker.check_model(made, full_check=True)
    plain = scaled(tmp_path)
    add_pairs(plain, ["first", "second"], ENDS, Format(False))
    assert layer(plain.graph, "bias").input[0] == "a"


def test_no_operator_reads_a_plain_float_where_all_is_rounded(tmp_path: Path) -> None:
    made = scaled(tmp_path)
    form = Format(False, all_outputs=True, everywhere=True)
    add_pairs(made, ["first", "second"], ENDS, form)
    makers = {name: node for node in made.graph.node for name in node.output}
    for name in ("first", "bias", "turn", "second"):
        read = [makers[one].op_type for one in layer(made.graph, name).input]
        assert set(read) == {"DequantizeLinear"}, name
    assert makers["y"].op_type == "DequantizeLinear"
    constants = {one.name: numpy_helper.to_array(one) for one in made.graph.initializer}
    # What only moves values has the levels of what it reads, whatever was seen behind it.
    assert constants["t_scale"] == constants["s_scale"]
    assert constants["d_scale"] == pytest.approx(18 / 255)
    onnx.checker.check_model(made, full_check=True)


@pytest.mark.parametrize("outputs", ["layers", "all"])
def test_rounded_outputs_run_and_are_close(tmp_path: Path, outputs: str) -> None:
    source = models.attention(tmp_path / "m.onnx")
    made = StaticInt8().apply(source, tmp_path / "o.onnx", {"outputs": outputs}, Noise(), Silent())
    sample = next(iter(Noise()))
    before, after = run(source, sample), run(made.path, sample)
    assert numpy.abs(after - before).max() < 0.1 * numpy.abs(before).max()
    written = onnx.load(str(made.path)).graph
    plain = StaticInt8().apply(source, tmp_path / "p.onnx", {}, Noise(), Silent())
    kinds = [node.op_type for node in written.node]
    fewer = [node.op_type for node in onnx.load(str(plain.path)).graph.node]
    assert kinds.count("QuantizeLinear") > fewer.count("QuantizeLinear")


def test_a_weight_that_two_layers_share_is_written_once(tmp_path: Path) -> None:
    made = model(tmp_path)
    made.graph.node.append(helper.make_node("Conv", ["x", "w"], ["z"], "third"))
    made.graph.output.append(
        helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, [1, 4, None, None])
    )
    add_pairs(made, ["first", "third"], RANGES, Format(False))
    assert layer(made.graph, "first").input[1] == layer(made.graph, "third").input[1]


def test_a_large_bias_on_small_weights_fits_its_32_bits() -> None:
    weight = numpy.full((1, 1, 1, 1), 1e-9, "float32")
    made = rounded_weight(weight, 0, Format(False), numpy.array([5.0]), 0.01)
    assert 5.0 / (float(made.scale[0]) * 0.01) < 2**31


@pytest.mark.parametrize(("ends", "zero"), [((0.0, 0.0), 0), ((1.0, 3.0), 0), ((-3.0, -1.0), 255)])
def test_zero_is_exact(ends: tuple[float, float], zero: int) -> None:
    scale, point = parameters(ends, numpy.dtype("uint8"))
    assert scale > 0
    assert point == zero


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("per_channel", [True, False])
def test_every_format_runs_and_is_close(tmp_path: Path, signed: bool, per_channel: bool) -> None:
    source = models.attention(tmp_path / "m.onnx")
    options = {"activations": "signed" if signed else "unsigned", "per_channel": per_channel}
    made = StaticInt8().apply(source, tmp_path / "o.onnx", options, Noise(), Silent())
    sample = next(iter(Noise()))
    before, after = run(source, sample), run(made.path, sample)
    assert numpy.abs(after - before).max() < 0.1 * numpy.abs(before).max()
