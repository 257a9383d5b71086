"""Precisions beside plain int8: weights alone in 8 or 4 bits, 16-bit activations, one scale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest

from studio.api import Silent, StudioError, Transformed, UsageError
from studio_onnxruntime.backend import OnnxRuntime
from studio_onnxruntime.bf16 import BFloat16, rounded_bits
from studio_onnxruntime.weight_only import WeightOnly, packed

from . import models
from .test_studio_onnxruntime import Noise, operators, sqnr, static


@pytest.fixture
def attention(tmp_path: Path) -> Path:
    return models.attention(tmp_path / "attention.onnx")


def weight_only(model: Path, **options: Any) -> Transformed:
    return WeightOnly().apply(model, model.with_name("out.onnx"), options, None, Silent())


@pytest.mark.parametrize(("bits", "least_db"), [("8", 38), ("4", 14)])
def test_weights_alone_keep_the_outputs(attention: Path, bits: str, least_db: float) -> None:
    made = weight_only(attention, bits=bits, arithmetic="float")
    assert made.precision == f"int{bits}"
    assert made.facts["quantized"] == 2
    assert made.facts["kept"] == {"attention": "both factors are activations"}
    assert operators(made.path).count("MatMulNBits") == 2
    assert sqnr(attention, made.path, Noise()) > least_db
    names = {tensor.name for tensor in onnx.load(str(made.path)).graph.initializer}
    assert not {"v", "g"} & names  # the float weights are gone


def test_weights_of_a_kept_node_stay(attention: Path) -> None:
    made = weight_only(attention, keep=["dense"])
    assert operators(made.path).count("Gemm") == 1
    assert made.facts["kept"]["dense"] == "asked for"


def test_a_model_without_products(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    model = models.save(tmp_path / "m.onnx", [node], {"x": [1, 4]}, {"y": [1, 4]})
    with pytest.raises(StudioError, match="nothing to quantize"):
        weight_only(model)


@pytest.mark.parametrize("bits", [4, 8])
def test_blocks_give_the_weights_back(bits: int) -> None:
    weight = numpy.random.default_rng(2).normal(size=(40, 3)).astype("float32")
    weight[:, 1] = 0
    levels, scales = packed(weight, bits, 16)
    assert (levels.shape, scales.shape) == ((3, 3, 2 * bits), (3, 3))
    if bits == 4:
        levels = numpy.stack((levels & 15, levels >> 4), axis=-1).reshape(3, 3, 16)
    middle = 1 << (bits - 1)
    values = ((levels.astype("float32") - middle) * scales[:, :, None]).reshape(3, -1)[:, :40].T
    # Half a level, but a whole one at the end that has no counterpart of the peak.
    assert (numpy.abs(values - weight) <= numpy.abs(scales).max() * 1.001).all()
    assert numpy.abs(values - weight).mean() < 0.3 * numpy.abs(scales).max()


def test_sixteen_bits_for_all_activations(attention: Path) -> None:
    narrow = sqnr(attention, static(attention, activations="unsigned").path, Noise())
    made = static(attention, activations="unsigned", activation_bits="16", calibration="minmax")
    assert made.facts["activations"] == "uint16"
    assert sqnr(attention, made.path, Noise()) > narrow + 2


def test_sixteen_bits_for_one_layer(attention: Path) -> None:
    made = static(attention, activations="unsigned", wide=["conv"])
    graph = onnx.load(str(made.path)).graph
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    zeros = {types[n.input[2]] for n in graph.node if n.op_type == "QuantizeLinear"}
    assert zeros == {onnx.TensorProto.UINT8, onnx.TensorProto.UINT16}
    assert made.facts["wide"] >= 1


def test_a_layer_for_sixteen_bits_that_is_not_there(attention: Path) -> None:
    with pytest.raises(UsageError, match="no node 'conv9'"):
        static(attention, wide=["conv9"])


def test_one_scale_for_all_channels(attention: Path) -> None:
    made = static(attention, per_channel=False)
    graph = onnx.load(str(made.path)).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    found = [tensors[n.input[1]] for n in graph.node if n.op_type == "DequantizeLinear"]
    assert {int(numpy.prod(scale.dims)) for scale in found} == {1}


def test_each_layer_is_told_with_its_distribution_and_range(attention: Path) -> None:
    made = static(attention, keep=["dense"], wide=["conv"], activations="unsigned")
    rows = {row["name"]: row for row in made.layers}
    assert [row["name"] for row in made.layers] == ["conv", "attention", "project", "dense"]
    assert {name: row["precision"] for name, row in rows.items()} == {
        "conv": "a16w8",
        "attention": "float",
        "project": "int8",
        "dense": "float",
    }
    assert rows["dense"]["why"] == "asked for"
    for row in (rows["conv"], rows["project"]):
        assert sum(row["weights"]["counts"]) == {"conv": 216, "project": 48}[row["name"]]
        seen = row["activations"]
        assert seen["low"] <= seen["range"][1] <= seen["high"]
        assert row["weights"]["range"][1] == pytest.approx(
            max(abs(row["weights"]["low"]), row["weights"]["high"])
        )
    # Eight pictures of 3×8×8 values went through the convolution.
    assert sum(rows["conv"]["activations"]["counts"]) == 8 * 3 * 8 * 8
    assert "weights" not in rows["attention"]
    json.dumps(list(made.layers))


def test_layers_of_weights_alone(attention: Path) -> None:
    rows = {row["name"]: row for row in weight_only(attention, bits="4", keep=["dense"]).layers}
    assert {name: row["precision"] for name, row in rows.items()} == {
        "attention": "float",
        "project": "w4",
        "dense": "float",
    }


def test_bf16_halves_the_size_and_keeps_the_outputs(tmp_path: Path) -> None:
    model = models.attention(tmp_path / "m.onnx")
    made = BFloat16().apply(model, tmp_path / "o.onnx", {}, None, Silent())
    assert made.precision == "bf16"
    assert made.facts["converted"] == 2  # the convolution's and the dense layer's
    assert sqnr(model, made.path, Noise()) > 40
    kept = BFloat16().apply(model, tmp_path / "k.onnx", {"keep": ["dense"]}, None, Silent())
    assert kept.facts == {"converted": 1, "kept": ["dense"]}


def test_bf16_takes_weights_from_constant_nodes(tmp_path: Path) -> None:
    values = numpy.random.default_rng(2).normal(0, 1, (64, 64)).astype("float32")
    weights = onnx.numpy_helper.from_array(values, "stored")
    nodes = [
        onnx.helper.make_node("Constant", [], ["w"], value=weights),
        onnx.helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    model = models.save(tmp_path / "m.onnx", nodes, {"x": [1, 64]}, {"y": [1, 64]})
    made = BFloat16().apply(model, tmp_path / "o.onnx", {}, None, Silent())
    assert made.facts["converted"] == 1
    assert made.path.stat().st_size < 0.6 * model.stat().st_size
    x = numpy.random.default_rng(3).normal(0, 1, (1, 64)).astype("float32")
    before, after = (OnnxRuntime().load(path, {}).run({"x": x})["y"] for path in (model, made.path))
    assert numpy.abs(after - before).max() < 0.02 * numpy.abs(before).max()


def test_bf16_rounds_to_the_nearest_and_ties_to_even() -> None:
    values = numpy.array([1.0, 1.00390625, 1.01171875, -3e38, numpy.inf, numpy.nan], "float32")
    back = (rounded_bits(values).astype(numpy.uint32) << 16).view(numpy.float32)
    assert back[:3].tolist() == [1.0, 1.0, 1.015625]
    assert abs(back[3] / values[3] - 1) < 2**-8
    assert numpy.isinf(back[4])
    assert numpy.isnan(back[5])


def test_bf16_of_a_model_without_weights(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    model = models.save(tmp_path / "m.onnx", [node], {"x": [1, 4]}, {"y": [1, 4]})
    with pytest.raises(StudioError, match="no float32 weights"):
        BFloat16().apply(model, tmp_path / "o.onnx", {}, None, Silent())
