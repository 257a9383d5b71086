"""What int8 is worth on a machine: kernels from its flags, ratios from layers that are timed."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from studio.quantization.outlook.layer_shapes import LayerShape
from studio_onnxruntime import hardware
from studio_onnxruntime import layer_timing as outlook
from studio_onnxruntime.backend import OnnxRuntime
from studio_onnxruntime.static_int8 import StaticInt8


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("flags\t\t: fpu avx512_vnni avx2\n", ("AVX-512 VNNI",)),
        ("processor : 0\nFeatures\t: fp asimd asimddp i8mm\n", ("i8mm", "dot product")),
        ("flags : sse2\n", ()),
        ("", ()),
    ],
)
def test_kernels_follow_the_flags(tmp_path: Path, text: str, titles: tuple[str, ...]) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    assert hardware.kernels(path) == titles


def test_no_file_of_flags(tmp_path: Path) -> None:
    assert hardware.kernels(tmp_path / "absent") == ()


SHAPES = (
    LayerShape("Conv", (1, 8, 12, 12), (16, 8, 3, 3), 1, (2, 2), (1, 1, 1, 1)),
    LayerShape("Conv", (1, 4, 20), (8, 4, 5), 1, (1,), (2, 2)),
    LayerShape("depthwise", (1, 16, 9, 9), (16, 1, 3, 3), 16, (1, 1), (1, 1, 1, 1)),
    LayerShape("MatMul", (1, 7, 32), (32, 24)),
    LayerShape("product", (2, 7, 32), (2, 32, 7)),
)


def test_layers_and_what_is_around_them_are_timed() -> None:
    found = StaticInt8().outlook({}, SHAPES)
    assert set(found["layers"]) == {shape.key for shape in SHAPES}
    assert all(us >= 0 for pair in found["layers"].values() for us in pair)
    assert found["kernels"] == list(hardware.kernels())
    assert found["run_us"] > 0
    for what in ("quantize", "dequantize", "cheap", "middle", "slow"):
        node, each = found[what]
        assert node >= 0
        assert 0 <= each < 1
    assert found["slow"][1] > found["cheap"][1]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda one: f"{one.kind}-{len(one.read)}")
def test_both_models_compute_the_same(tmp_path: Path, shape: LayerShape, signed: bool) -> None:
    floats = numpy.random.default_rng(3).normal(size=shape.read).astype("float32")
    offset = 0 if signed else 128
    levels = (floats / 0.05).round().clip(-100, 100)
    fed = (levels * numpy.float32(0.05), (levels + offset).astype("int8" if signed else "uint8"))
    results = []
    for quantized, array in zip((False, True), fed, strict=True):
        path = tmp_path / f"{quantized}.onnx"
        outlook.onnx.save(outlook.layer_model(shape, quantized, signed), str(path))
        (result,) = OnnxRuntime().load(path, {"threads": 1}).run({"x": array}).values()
        results.append(result.astype("float32"))
    if results[1].max() > 20:  # bytes
        results[1] = (results[1] - offset) * 0.05
    noise = ((results[0] - results[1]) ** 2).sum() / (results[0] ** 2).sum()
    assert noise < 0.01
