"""Real models on chips: verdict, nodes, task metric and seconds, by ``studio check`` itself.

    python -m tests.benchmarks.bench_chips [--only MODEL] [--chip CHIP] [--home DIR] [--markdown]

Each model of the zoo is checked in float, with the preset ``int8`` and with the chip's own preset
or export. The peer of each score is that of the float model on the same samples. Nothing here runs
on a device; scores of ONNX models are of ONNX Runtime.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy
import onnxruntime

from tests.benchmarks.bench_backends import HOME
from tests.benchmarks.bench_export import MODELS, Model, studio
from tests.benchmarks.zoo import entry

PRESETS: Mapping[str, Sequence[str]] = {
    "nvidia-a100": ("", "int8", "int8-tensorrt"),
    "jetson-orin": ("", "int8", "int8-tensorrt"),
    "snapdragon-8-gen-2": ("", "int8", "int8-qnn"),
    "qcs6490": ("", "a16w8-qnn"),
    "rk3588": ("", "int8", "int8-npu"),
    "rv1106": ("", "int8", "int8-npu"),
    "ethos-u55-256": ("",),
    "ethos-u85-512": ("",),
    "tflite-micro": ("",),
    "coral-edge-tpu": ("",),
    "intel-npu": ("",),
    "apple-neural-engine": ("",),
    "amd-ryzen-ai": ("int8", "int8-tensorrt"),
    "browser-wasm": ("", "int8", "fp16"),
    "browser-webgpu": ("", "int8", "fp16"),
    "browser-webgpu-all": ("", "int8", "fp16"),
}
"""Presets by chip; an empty one is the float model, which the check exports where it has to."""


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one check.

    Attributes:
        score: Of the ONNX model that was checked, on held-out samples; None where it was exported.
        first: The first refused node, with its reason.
    """

    model: str
    chip: str
    preset: str
    verdict: str = ""
    on_chip: int = 0
    nodes: int = 0
    seconds: float = 0.0
    bytes: int = 0
    score: float | None = None
    float_score: float | None = None
    estimate: Mapping[str, float] | None = None
    argmax_equal: float | None = None
    first: str = ""
    failure: str = ""


def measured(model: Model, chips: Sequence[str], home: Path) -> Iterator[Row]:
    """Check a model of the zoo for chips."""
    folder = entry(model.name).folder()
    with tempfile.TemporaryDirectory() as name:
        files: dict[str, Path | str] = {"": folder / "model.onnx"}
        for preset in sorted({one for chip in chips for one in PRESETS[chip]} - {""}):
            files[preset] = _quantized(folder, preset, Path(name), home)
        exact = _outputs(folder / "model.onnx", folder / "heldout")
        scores = {
            preset: entry(model.name).score(folder, _outputs(path, folder / "heldout"), exact)
            for preset, path in files.items()
            if isinstance(path, Path)
        }
        for chip in chips:
            for preset in PRESETS[chip]:
                yield _checked(model, chip, preset, files[preset], scores, home)


def _quantized(folder: Path, preset: str, work: Path, home: Path) -> Path | str:
    """Return the quantized model, or the reason why there is none."""
    output = work / f"{preset}.onnx"
    words = (str(folder / "model.onnx"), "--preset", preset, "--data", str(folder / "calibration"))
    found = studio(home, "quantize", *words, "--out", str(output), "--json")
    return output if output.exists() else str(found.get("error", {}).get("message", "no answer"))


def _checked(
    model: Model,
    chip: str,
    preset: str,
    file: Path | str,
    scores: Mapping[str, float],
    home: Path,
) -> Row:
    if isinstance(file, str):
        return Row(model.name, chip, preset, failure=file)
    sizes = [word for one in model.sizes for word in ("--input", one)]
    data = entry(model.name).folder() / "calibration"
    words = (str(file), "--for", chip, *sizes, "--data", str(data), "--json")
    found = studio(home, "check", *words)
    if "error" in found:
        return Row(model.name, chip, preset, failure=found["error"]["message"])
    refused = next(iter(found["refused"]), None)
    first = f"{refused['operator']} {refused['node']}: {refused['reason']}" if refused else ""
    numbers = found["numbers"] or {}
    return Row(
        model.name,
        chip,
        preset,
        found["verdict"],
        found["nodes"]["on_chip"],
        found["nodes"]["total"],
        round(found["seconds"], 1),
        found["bytes"],
        scores[preset],
        scores[""],
        found["estimate"],
        numbers.get("argmax_equal"),
        first or found["reason"],
    )


def _outputs(path: Path, samples: Path) -> list[dict[str, Any]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    found = []
    for sample in sorted(samples.glob("*.npz")):
        with numpy.load(sample) as arrays:
            found.append(dict(zip(names, session.run(names, dict(arrays)), strict=True)))
    return found


def markdown(rows: Sequence[Row]) -> str:
    """Return the table of ``docs/chips.md``."""
    lines = ["| model | chip | preset | verdict | nodes on the chip | score, float | seconds |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in rows:
        score = "" if row.score is None else f"{row.score:.3f}, {row.float_score:.3f}"
        nodes = f"{row.on_chip} of {row.nodes}"
        cells = (row.model, row.chip, row.preset or "float", row.verdict or row.failure, nodes)
        lines.append(f"| {' | '.join((*cells, score, str(row.seconds)))} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--chip", action="append", default=[], choices=PRESETS)
    parser.add_argument("--home", type=Path, default=HOME)
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args(argv)
    rows: list[Row] = []
    for model in MODELS:
        if not given.only or model.name in given.only:
            for row in measured(model, given.chip or list(PRESETS), given.home):
                print(json.dumps(asdict(row)), file=sys.stderr, flush=True)
                rows.append(row)
    report = {"rows": [asdict(row) for row in rows]}
    print(markdown(rows) if given.markdown else json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
