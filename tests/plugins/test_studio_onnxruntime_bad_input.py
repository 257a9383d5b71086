"""Bad input of the calibrated int8: one sentence, nothing half-written. Odd input: it works."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import numpy
import onnx
import pytest
from onnx import helper, numpy_helper

from studio.api import (
    Cancelled,
    InvalidData,
    InvalidModel,
    Sample,
    Silent,
    StudioError,
    Transform,
)
from studio_onnxruntime.dynamic_int8 import DynamicInt8
from studio_onnxruntime.fp16 import Float16
from studio_onnxruntime.static_int8 import StaticInt8
from studio_onnxruntime.weight_only import WeightOnly

from . import models
from .test_studio_onnxruntime import Noise, run, static

WEIGHT = numpy.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype("float32")


class Filled:
    """Pictures that are one value everywhere."""

    def __init__(self, value: float, count: int = 2) -> None:
        self._value, self._count = value, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Sample]:
        for index in range(self._count):
            feeds = {"x": numpy.full((1, 3, 8, 8), self._value, "float32")}
            yield Sample(feeds, name=f"s{index}")


def convolution(folder: Path, weight: numpy.ndarray = WEIGHT) -> Path:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Relu", ["c"], ["y"], "relu"),
    ]
    shapes = {"x": [1, 3, 8, 8]}, {"y": [1, 4, 6, 6]}
    return models.save(folder / "m.onnx", nodes, *shapes, {"w": weight})


def made(model: Path, data: Filled) -> Path:
    output = model.with_name("out.onnx")
    return StaticInt8().apply(model, output, {}, data, Silent()).path


def refused(model: Path, data: Filled, kind: type[StudioError], message: str) -> None:
    with pytest.raises(kind, match=message):
        made(model, data)
    assert [path.name for path in model.parent.iterdir()] == [model.name]


def test_no_samples(tmp_path: Path) -> None:
    refused(convolution(tmp_path), Filled(1, 0), InvalidData, "at least one sample")


@pytest.mark.parametrize("value", [numpy.nan, numpy.inf, -numpy.inf])
def test_samples_that_are_not_finite(tmp_path: Path, value: float) -> None:
    message = "Sample s0 makes the value 'x' not finite"
    refused(convolution(tmp_path), Filled(value), InvalidData, message)


@pytest.mark.parametrize("value", [numpy.nan, numpy.inf])
def test_weights_that_are_not_finite(tmp_path: Path, value: float) -> None:
    weight = WEIGHT.copy()
    weight[1, 0, 0, 0] = value
    model = convolution(tmp_path, weight)
    refused(model, Filled(1), InvalidModel, "weights of 'w' are not finite")


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
def test_constant_activations_and_one_sample(tmp_path: Path, value: float) -> None:
    model = convolution(tmp_path)
    output = made(model, Filled(value, 1))
    sample = next(iter(Filled(value)))
    before, after = run(model, sample), run(output, sample)
    assert numpy.abs(after - before).max() <= 0.02 * max(1, float(numpy.abs(before).max()))


def test_a_model_that_is_quantized_already(tmp_path: Path) -> None:
    model = convolution(tmp_path)
    first = made(model, Filled(1))
    with pytest.raises(StudioError, match="is quantized already"):
        StaticInt8().apply(first, tmp_path / "twice.onnx", {}, Filled(1), Silent())


def test_padding_with_minus_infinity(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Pad", ["c", "pads", "low"], ["p"], "pad"),
        helper.make_node("MaxPool", ["p"], ["y"], "pool", kernel_shape=[3, 3]),
    ]
    shapes = {"x": [1, 3, 8, 8]}, {"y": [1, 4, 6, 6]}
    constants = {"w": WEIGHT, "low": numpy.array(-numpy.inf, "float32")}
    path = models.save(tmp_path / "m.onnx", nodes, *shapes, constants)
    model = onnx.load(str(path))
    pads = numpy.array([0, 0, 1, 1, 0, 0, 1, 1])
    model.graph.initializer.append(onnx.numpy_helper.from_array(pads, "pads"))
    onnx.save(model, str(path))
    output = made(path, Filled(1))
    assert numpy.isfinite(run(output, next(iter(Filled(1))))).all()


TRANSFORMS = [StaticInt8(), DynamicInt8(), WeightOnly(), Float16()]


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda one: one.id)
def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models.attention(tmp_path / "m.onnx")
    save, output = onnx.save, tmp_path / "out.onnx"

    def full(proto: object, path: str, *more: object, **options: object) -> None:
        """The last thing that is written does not fit any more, having been begun."""
        if Path(path).name in ("made.onnx", "out.onnx"):
            Path(path).write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(proto, path, *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(onnx, "save", full)
    monkeypatch.setattr(onnx, "save_model", full)
    with pytest.raises(OSError, match="No space left") as caught:
        transform.apply(model, output, {}, Noise(), Silent())
    assert caught.value.errno == errno.ENOSPC
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


class Impatient(Silent):
    """Cancels at the first stage whose text begins so."""

    def __init__(self, text: str) -> None:
        self._text = text

    def progress(self, done: float, total: float, text: str = "") -> None:
        if text.startswith(self._text):
            raise Cancelled


@pytest.mark.parametrize("stage", ["Preparing", "Calibrating (2", "Correcting biases (2"])
def test_cancel_in_the_middle(tmp_path: Path, stage: str) -> None:
    model, output = models.attention(tmp_path / "m.onnx"), tmp_path / "out.onnx"
    with pytest.raises(Cancelled):
        StaticInt8().apply(model, output, {}, Noise(), Impatient(stage))
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize("transform", TRANSFORMS[1:], ids=lambda one: one.id)
def test_cancel_of_what_needs_no_data(tmp_path: Path, transform: Transform) -> None:
    model, output = models.attention(tmp_path / "m.onnx"), tmp_path / "out.onnx"
    with pytest.raises(Cancelled):
        transform.apply(model, output, {}, None, Impatient("Checking"))
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


def test_a_model_that_is_all_in_branches_stays_in_float(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(numpy.ones((8, 3, 3, 3), "float32"), "w")
    output = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    branches = [helper.make_graph([node], name, [], [output], [weight]) for name in ("a", "b")]
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["sum"], ["is"], to=onnx.TensorProto.BOOL),
        helper.make_node("If", ["is"], ["z"], then_branch=branches[0], else_branch=branches[1]),
    ]
    model = models.save(tmp_path / "if.onnx", nodes, {"x": [1, 3, 8, 8]}, {"z": [1, 8, 6, 6]})
    with pytest.raises(StudioError, match="outside of the branches of If") as caught:
        static(model)
    assert caught.value.hint == "Keep the float model."
