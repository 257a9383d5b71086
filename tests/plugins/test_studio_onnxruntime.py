"""The ONNX Runtime plugin: what its transforms make of models, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import helper

from studio.api import (
    Cancelled,
    InvalidData,
    InvalidModel,
    Sample,
    Silent,
    StudioError,
    Transformed,
    Unavailable,
    UsageError,
)
from studio_onnxruntime import hardware
from studio_onnxruntime.backend import OnnxRuntime, first_sentence
from studio_onnxruntime.dynamic_int8 import DynamicInt8
from studio_onnxruntime.fp16 import Float16
from studio_onnxruntime.preparation import prepared
from studio_onnxruntime.static_int8 import StaticInt8

from . import models


class Noise:
    """Random pictures, differently large; counts how many were ever alive at once."""

    def __init__(self, count: int = 8, widths: tuple[int, ...] = (8,)) -> None:
        self._count = count
        self._widths = widths

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Sample]:
        random = numpy.random.default_rng(1)
        for index in range(self._count):
            width = self._widths[index % len(self._widths)]
            yield Sample({"x": random.normal(size=(1, 3, 8, width)).astype("float32")})


@pytest.fixture
def attention(tmp_path: Path) -> Path:
    return models.attention(tmp_path / "attention.onnx")


def static(model: Path, data: Noise | None = None, **options: Any) -> Transformed:
    output = model.with_name("out.onnx")
    samples = Noise() if data is None else data
    return StaticInt8().apply(model, output, options, samples, Silent())


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(str(path)).graph.node]


def run(path: Path, sample: Sample) -> numpy.ndarray:
    session = OnnxRuntime().load(path, {})
    (array,) = session.run(sample.feeds).values()
    return array


def sqnr(model: Path, made: Path, data: Iterable[Sample]) -> float:
    pairs = [(run(model, sample), run(made, sample)) for sample in data]
    signal = sum(float((a**2).sum()) for a, _ in pairs)
    noise = sum(float(((a - b) ** 2).sum()) for a, b in pairs)
    return float(10 * numpy.log10(signal / noise))


# Static int8


@pytest.mark.parametrize(
    "calibration", ["minmax", "percentile", "percentile-symmetric", "mse", "entropy"]
)
def test_static_int8_keeps_the_outputs(attention: Path, calibration: str) -> None:
    made = static(attention, calibration=calibration)
    assert made.precision == "int8"
    assert made.facts["quantized"] == 3
    assert made.facts["kept"] == {"attention": "both factors are activations"}
    assert sqnr(attention, made.path, Noise()) > (25 if calibration == "minmax" else 10)


def test_weights_are_signed_and_per_channel(attention: Path) -> None:
    made = static(attention, activations="unsigned")
    graph = onnx.load(str(made.path)).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    weights = [t for t in tensors.values() if t.data_type == onnx.TensorProto.INT8 and t.dims]
    assert {tuple(t.dims) for t in weights} >= {(8, 3, 3, 3), (8, 6)}
    scales = {
        tuple(tensors[n.input[1]].dims) for n in graph.node if n.op_type == "DequantizeLinear"
    }
    assert (8,) in scales
    zeros = {tensors[n.input[2]].data_type for n in graph.node if n.op_type == "QuantizeLinear"}
    assert zeros == {onnx.TensorProto.UINT8}


def test_signed_activations(attention: Path) -> None:
    made = static(attention, activations="signed")
    graph = onnx.load(str(made.path)).graph
    types = {t.name: t.data_type for t in graph.initializer}
    zeros = {types[n.input[2]] for n in graph.node if n.op_type == "QuantizeLinear"}
    assert zeros == {onnx.TensorProto.INT8}
    assert made.facts["activations"] == "int8"


def test_attention_can_be_quantized_too(attention: Path) -> None:
    made = static(attention, float_attention=False)
    assert made.facts["quantized"] == 4
    assert made.facts["kept"] == {}


@pytest.mark.parametrize("keep", [["dense"], ["Gemm"], ["den*"]])
def test_nodes_can_be_kept_in_float(attention: Path, keep: list[str]) -> None:
    made = static(attention, keep=keep)
    assert made.facts["quantized"] == 2
    assert made.facts["kept"]["dense"] == "asked for"
    gemm = next(n for n in onnx.load(str(made.path)).graph.node if n.op_type == "Gemm")
    assert gemm.input[1] == "g"


def test_a_kept_node_is_found_after_it_was_fused(attention: Path) -> None:
    # The convolution takes the batch normalisation in, and with it that node's output.
    made = static(attention, keep=["conv"])
    assert made.facts["quantized"] == 2
    assert operators(made.path).count("BatchNormalization") == 0


def test_nodes_without_names(tmp_path: Path) -> None:
    model = models.attention(tmp_path / "nameless.onnx", named=False)
    made = static(model, keep=["Gemm_8"])
    assert made.facts["quantized"] == 2
    assert set(made.facts["kept"].values()) == {"asked for", "both factors are activations"}


def test_samples_may_differ_in_size(tmp_path: Path) -> None:
    weights = numpy.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype("float32")
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], "conv")]
    model = models.save(
        tmp_path / "wide.onnx", nodes, {"x": [1, 3, 8, "w"]}, {"y": [1, 4, 6, "v"]}, {"w": weights}
    )
    for calibration in ("minmax", "percentile", "entropy"):
        made = static(model, Noise(6, (8, 11, 20)), calibration=calibration)
        assert sqnr(model, made.path, Noise(3, (9,))) > 15


def test_calibration_is_told_and_can_be_cancelled(attention: Path) -> None:
    class Cancelling(Silent):
        def __init__(self) -> None:
            self.texts: list[str] = []

        def progress(self, done: float, total: float, text: str = "") -> None:
            self.texts.append(text)
            if text == "Calibrating (5 of 8)":
                raise Cancelled

    progress = Cancelling()
    output = attention.with_name("out.onnx")
    with pytest.raises(Cancelled):
        StaticInt8().apply(attention, output, {}, Noise(), progress)
    assert sorted(path.name for path in attention.parent.iterdir()) == ["attention.onnx"]


@pytest.mark.slow
def test_libraries_are_quiet(attention: Path, capfd: pytest.CaptureFixture[str]) -> None:
    static(attention, calibration="entropy")
    assert capfd.readouterr().out == ""


def test_activations_that_are_not_numbers(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Sqrt", ["x"], ["r"], "root"),
        helper.make_node("Conv", ["r", "w"], ["y"], "conv"),
    ]
    weights = {"w": numpy.ones((4, 3, 1, 1), "float32")}
    model = models.save(
        tmp_path / "m.onnx", nodes, {"x": [1, 3, 8, 8]}, {"y": [1, 4, 8, 8]}, weights
    )
    with pytest.raises(InvalidData, match="makes the value 'r' not finite, in float already"):
        static(model)


@pytest.mark.parametrize("opset", [9, 11, 12, 13, 20])
def test_old_and_new_operator_sets(tmp_path: Path, opset: int) -> None:
    weights = numpy.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype("float32")
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Relu", ["c"], ["y"], "relu"),
    ]
    model = models.save(
        tmp_path / "m.onnx", nodes, {"x": [1, 3, 8, 8]}, {"y": [1, 4, 6, 6]}, {"w": weights},
        opset=opset,
    )  # fmt: skip
    assert sqnr(model, static(model).path, Noise()) > 25


def test_axes_of_a_raised_operator_set_are_constants(tmp_path: Path) -> None:
    """The converter adds them as nodes, whose values no cut of the graph would know."""
    weights = numpy.random.default_rng(0).normal(size=(4, 3, 8, 8)).astype("float32")
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Squeeze", ["c"], ["s"], "squeeze", axes=[2, 3]),
        helper.make_node("Unsqueeze", ["s"], ["y"], "unsqueeze", axes=[1]),
    ]
    model = models.save(
        tmp_path / "m.onnx", nodes, {"x": [1, 3, 8, 8]}, {"y": [1, 1, 4]}, {"w": weights},
        opset=12,
    )  # fmt: skip
    made = onnx.load(str(prepared(onnx.load(str(model)), tmp_path)))
    assert {node.op_type for node in made.graph.node} == {"Conv", "Squeeze", "Unsqueeze"}
    assert made.opset_import[0].version == 13
    assert sqnr(model, static(model).path, Noise()) > 25


def test_no_samples(attention: Path) -> None:
    with pytest.raises(InvalidData, match="at least one sample"):
        static(attention, Noise(0))


def test_a_node_that_is_not_there(attention: Path) -> None:
    with pytest.raises(UsageError, match="no node 'conv9'"):
        static(attention, keep=["conv9"])


def test_everything_kept(attention: Path) -> None:
    with pytest.raises(StudioError, match="all of its Conv, MatMul, Gemm are kept in float"):
        static(attention, keep=["Conv", "MatMul", "Gemm"])


def test_nothing_to_quantize(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"], "relu")]
    model = models.save(tmp_path / "m.onnx", nodes, {"x": [1, 3, 8, 8]}, {"y": [1, 3, 8, 8]})
    with pytest.raises(StudioError, match="nothing to quantize in this model: it has no Conv"):
        static(model)


def test_quantized_already(attention: Path) -> None:
    made = static(attention)
    again = made.path.rename(attention.with_name("again.onnx"))
    for transform in (StaticInt8(), DynamicInt8(), Float16()):
        with pytest.raises(StudioError, match=r"again\.onnx is quantized already"):
            transform.apply(again, attention.with_name("out.onnx"), {}, Noise(), Silent())


def test_an_operator_that_the_runtime_does_not_know(tmp_path: Path) -> None:
    nodes = [helper.make_node("Sparkle", ["x"], ["y"], "s", domain="example.com")]
    model = models.save(tmp_path / "m.onnx", nodes, {"x": [1]}, {"y": [1]})
    with pytest.raises(InvalidModel, match="ONNX Runtime cannot prepare the model") as caught:
        static(model)
    assert "Sparkle" in caught.value.message


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"not a model at all")
    with pytest.raises(InvalidModel, match=r"m\.onnx cannot be read"):
        static(tmp_path / "m.onnx")


# The other transforms


def test_dynamic_int8(attention: Path) -> None:
    output = attention.with_name("out.onnx")
    made = DynamicInt8().apply(attention, output, {}, None, Silent())
    assert made.facts["quantized"] == 2
    assert operators(output).count("MatMulInteger") == 2
    assert operators(output).count("Conv") == 1
    assert sqnr(attention, output, Noise()) > 25


def test_dynamic_int8_behind_an_operator_without_shape_inference(tmp_path: Path) -> None:
    weight = onnx.numpy_helper.from_array(numpy.ones((4, 3), numpy.float32), "w")
    nodes = [
        helper.make_node("Scaler", ["x"], ["s"], domain="ai.onnx.ml", offset=[0.0], scale=[1.0]),
        helper.make_node("MatMul", ["s", "w"], ["m"], name="dense"),
        helper.make_node("Relu", ["m"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", size])
        for name, size in (("x", 4), ("y", 3))
    ]
    graph = helper.make_graph(nodes, "table", ends[:1], ends[1:], [weight])
    opsets = [helper.make_opsetid("", 14), helper.make_opsetid("ai.onnx.ml", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "t.onnx")
    made = DynamicInt8().apply(tmp_path / "t.onnx", tmp_path / "int8.onnx", {}, None, Silent())
    assert made.facts["quantized"] == 1


def test_dynamic_int8_keeps_nodes(attention: Path) -> None:
    output = attention.with_name("out.onnx")
    DynamicInt8().apply(attention, output, {"keep": ["dense"]}, None, Silent())
    assert operators(output).count("MatMulInteger") == 1


def test_fp16(attention: Path) -> None:
    output = attention.with_name("out.onnx")
    made = Float16().apply(attention, output, {}, None, Silent())
    graph = onnx.load(str(output)).graph
    assert made.precision == "fp16"
    assert {value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)} == {1}
    assert sum(t.data_type == onnx.TensorProto.FLOAT16 for t in graph.initializer) >= 5
    assert sqnr(attention, output, Noise()) > 50


def test_fp16_keeps_nodes(attention: Path) -> None:
    output = attention.with_name("out.onnx")
    Float16().apply(attention, output, {"keep": ["dense"]}, None, Silent())
    types = {t.name: t.data_type for t in onnx.load(str(output)).graph.initializer}
    assert onnx.TensorProto.FLOAT in types.values()


# The backend


def test_version_and_runner() -> None:
    backend = OnnxRuntime()
    assert backend.version().count(".") >= 1
    assert backend.runner.name == "runner.py"


def test_an_output_by_name(attention: Path) -> None:
    session = OnnxRuntime().load(attention, {"threads": 1})
    assert (session.input_names, session.output_names) == (("x",), ("y",))
    (sample,) = Noise(1)
    assert session.run(sample.feeds, ["y"])["y"].shape == (1, 5)


def test_arrays_that_do_not_fit(attention: Path) -> None:
    session = OnnxRuntime().load(attention, {})
    with pytest.raises(InvalidData, match=r"cannot run attention\.onnx on this sample") as caught:
        session.run({"x": numpy.zeros((1, 9, 8, 8), "float32")})
    assert "[ONNXRuntimeError]" not in caught.value.message
    session.close()
    with pytest.raises(StudioError, match="was closed"):
        session.run({})


def test_a_provider_that_is_not_there(attention: Path) -> None:
    with pytest.raises(Unavailable, match="has no TensorrtExecutionProvider; it has "):
        OnnxRuntime().load(attention, {"provider": "TensorrtExecutionProvider"})


def test_a_damaged_model(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"\x08\x07garbage")
    with pytest.raises(InvalidModel, match=r"cannot load m\.onnx"):
        OnnxRuntime().load(tmp_path / "m.onnx", {})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got 9.\nmore", "Got 9."),
        ("plain", "plain."),
        ("", "no reason given."),
    ],
)
def test_first_sentence(text: str, sentence: str) -> None:
    assert first_sentence(ValueError(text)) == sentence


# The processor


@pytest.mark.parametrize(
    ("flags", "expected"), [("sse2 avx2", True), ("avx512_vnni", False), ("avx2 avx_vnni", False)]
)
def test_saturation_follows_the_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, expected: bool
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags\t\t: fpu {flags}\n")
    assert hardware.saturates(tmp_path / "cpuinfo") is expected
    assert hardware.saturates(tmp_path / "absent") is True


def test_arm_never_saturates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert hardware.is_arm()
    assert not hardware.saturates()
