"""Variants that onnxruntime's own tools make, each as its documentation recommends.

    python -m tests.benchmarks.quantize_peers NAME SAMPLE OUTPUT

Writes the model and prints seconds of the processor and peak memory as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from studio.api import Sample, TensorType, Value
from studio.datasets import open_dataset
from studio_onnxruntime.backend import OnnxRuntime
from studio_onnxruntime.rewriting import equalise, fold

SAMPLES = 64
LAYERS = ["Conv", "MatMul", "Gemm"]
WIDTH = 320
INPUT = Value("x", TensorType("float32", ("N", 3, 48, "W")))


class Pictures(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """The calibration pictures, one at a time.

    Args:
        width: What they are cut to; none keeps each as it is.
    """

    def __init__(self, folder: Path, width: int | None) -> None:
        self._width = width
        self._samples = open_dataset(folder, [INPUT], SAMPLES)
        self._left: Iterator[Any] = iter(self._samples)

    def get_next(self) -> dict[str, Any] | None:
        sample = next(self._left, None)
        return None if sample is None else {"x": sample.feeds["x"][..., : self._width]}

    def rewind(self) -> None:
        self._left = iter(self._samples)


def exactness(prepared: Path, sample: Path) -> dict[str, Any]:
    """What each rewriting of the float model alone does to its outputs, on eight pictures.

    The largest difference at any output, over the largest output.
    """
    pictures = list(open_dataset(sample / "heldout", [INPUT], 8))
    before = _outputs(prepared, pictures)
    found = {}
    for rewrite in (fold, equalise):
        model = onnx.load(str(prepared))
        count = rewrite(model)
        path = prepared.with_suffix(".rewritten.onnx")
        onnx.save(model, str(path))
        pairs = zip(before, _outputs(path, pictures), strict=True)
        error = max(float(abs(a - b).max() / abs(a).max()) for a, b in pairs)
        found[rewrite.__name__] = {"changed": count, "largest_error": error}
    return found


def _outputs(path: Path, pictures: Sequence[Sample]) -> list[Any]:
    session = OnnxRuntime().load(path, {})
    return [next(iter(session.run(picture.feeds).values())) for picture in pictures]


def make(name: str, sample: Path, output: Path) -> dict[str, Any]:
    """Write one variant."""
    prepared = output.with_suffix(".prepared.onnx")
    # Without symbolic inference, which needs sympy; the shapes behind convolutions are found.
    quant_pre_process(str(sample / "ppocrv5-rec.onnx"), str(prepared), skip_symbolic_shape=True)
    if name == "folded":
        model = onnx.load(str(prepared))
        fold(model)
        onnx.save(model, str(output))
        return exactness(prepared, sample)
    _, method, *layers = name.replace(",", "").split()
    options: dict[str, Any] = {}
    if layers:
        # What is known to work on x86: the layers alone, unsigned activations, scales per channel.
        options = {
            "op_types_to_quantize": LAYERS,
            "per_channel": True,
            "activation_type": QuantType.QUInt8,
            "weight_type": QuantType.QInt8,
        }
    calibration = {"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile}
    quantize_static(
        str(prepared),
        str(output),
        # Its Percentile fails where the pictures differ in width.
        Pictures(sample / "calibration", WIDTH if method == "percentile" else None),
        calibrate_method=calibration[method],
        **options,
    )
    return {}


def main() -> int:
    """Make it and tell what it took."""
    name, sample, output = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    logging.disable(logging.WARNING)
    shown = os.dup(1)
    os.dup2(2, 1)  # the tools print to stdout
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        facts = make(name, sample, output)
    os.dup2(shown, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"cpu_seconds": time.process_time(), "peak_memory_mb": round(peak, 1), "facts": facts}
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
