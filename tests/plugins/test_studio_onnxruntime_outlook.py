"""What int8 is worth on a machine: kernels from its flags, ratios from layers that are timed."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from studio_onnxruntime import hardware, outlook
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


def test_ratios_of_every_kind() -> None:
    found = StaticInt8().outlook({})
    assert set(found["ratios"]) == {"Conv", "depthwise", "MatMul"}
    assert all(0 < low <= high for low, high in found["ratios"].values())
    assert found["kernels"] == list(hardware.kernels())
    assert all(rate > 0 for rate in found["rates"].values())
    assert found["run_us"] > found["node_us"] >= 0
    assert all(took >= 0 for took in found["layer_us"])


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("shape", [shapes[0] for shapes in outlook.KINDS.values()])
def test_both_models_compute_the_same(tmp_path: Path, shape: outlook.Shape, signed: bool) -> None:
    array = numpy.random.default_rng(3).normal(size=outlook._edge(shape)).astype("float32")
    results = []
    for quantized in (False, True):
        path = tmp_path / f"{quantized}.onnx"
        outlook.onnx.save(outlook._model(shape, quantized, signed), str(path))
        (result,) = OnnxRuntime().load(path, {"threads": 1}).run({"x": array}).values()
        results.append(result)
    noise = ((results[0] - results[1]) ** 2).sum() / (results[0] ** 2).sum()
    assert noise < 0.15
