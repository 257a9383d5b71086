"""Quantization of PP-OCRv5 recognition: our preset and search beside onnxruntime's own, in one run.

    python -m tests.benchmarks.bench_quantize [--sample FOLDER] [--only NAME]... \
        [--with "NAME=OPTIONS OF studio quantize"]...

Every variant is made in a process of its own (seconds, peak memory), from the same 64 pictures,
and judged here on the same 400 unseen ones: exact match, character errors, texts lost and gained
against the float model, and the processor's time of one thread in turns with the float model.
``--with`` adds a row of any method that the studio has, such as a quantizer plugin's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the first import of onnxruntime

from studio.api import Sample, Silent, TensorType, Value
from studio.datasets import open_dataset
from studio.evaluation.comparison import latency
from studio_metrics.texts import alphabet, decode, distance
from studio_onnxruntime.backend import OnnxRuntime

STUDIO = Path(sys.executable).with_name("studio")
MODEL = "ppocrv5-rec.onnx"
INPUT = Value("x", TensorType("float32", ("N", 3, 48, "W")))
PEERS = "tests.benchmarks.quantize_peers"
TIMEOUT = 1200

OURS = {
    "dynamic": "--method dynamic-int8 --metric none",
    "ours": "--samples 64 --metric none",
    "ours, search": "--samples 64 --search --max-drop 0.01 --eval-data {sample}/search "
    "--heldout-data {sample}/heldout",
}
THEIRS = ("ort minmax", "ort percentile", "ort minmax, layers", "ort percentile, layers")


@dataclass
class Row:
    """One variant of the table.

    Attributes:
        exact, cer: Of the unseen pictures.
        lost, gained: Texts read wrong that the float model reads right, and the reverse.
        ratio, low, high: Time over that of the original float model, and its interval.
        size: In bytes.
        seconds, peak_mb: Of the making, by the clock, with everything that the command does.
    """

    name: str
    exact: float = 0.0
    cer: float = 0.0
    lost: int = 0
    gained: int = 0
    ratio: float = 1.0
    low: float = 1.0
    high: float = 1.0
    size: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0
    reason: str = ""
    more: dict[str, Any] = field(default_factory=dict)


class Reader:
    """The recogniser's pictures, and what a model reads in them."""

    def __init__(self, sample: Path, count: int) -> None:
        text = (sample / "dictionary.txt").read_text(encoding="utf-8")
        self._characters = text.rstrip("\n").split("\n")
        self.samples: list[Sample] = list(open_dataset(sample / "heldout", [INPUT], count))

    def texts(self, model: Path) -> list[str]:
        """What a model reads."""
        session, found = OnnxRuntime().load(model, {}), []
        for sample in self.samples:
            (scores,) = session.run(sample.feeds).values()
            known = alphabet(self._characters, scores.shape[-1], 0)
            found.append(decode(scores, known, 0))
        session.close()
        return found

    def judge(self, row: Row, texts: Sequence[str], reference: Sequence[str]) -> None:
        """Fill in what the texts say of a variant."""
        wanted = [str(sample.label) for sample in self.samples]
        right = [text == label for text, label in zip(texts, wanted, strict=True)]
        before = [text == label for text, label in zip(reference, wanted, strict=True)]
        row.exact = round(sum(right) / len(right), 5)
        errors = sum(map(distance, texts, wanted))
        row.cer = round(errors / sum(map(len, wanted)), 5)
        row.lost = sum(b and not a for a, b in zip(right, before, strict=True))
        row.gained = sum(a and not b for a, b in zip(right, before, strict=True))


def commands(extra: Sequence[str]) -> dict[str, str]:
    """What the studio is asked for by each row; nothing where onnxruntime's tools make it."""
    asked = (row.partition("=") for row in extra)
    more = {name: f"--samples 64 {options}" for name, _, options in asked}
    return {"folded": "", **OURS, **dict.fromkeys(THEIRS, ""), **more}


def made(name: str, command: str, sample: Path, folder: Path) -> tuple[Row, Path | None]:
    """Make a variant in a process of its own; None when that failed, with the reason in the row."""
    output = folder / f"{name.replace(',', '').replace(' ', '-')}.onnx"
    if not command:
        line = [sys.executable, "-m", PEERS, name, str(sample), str(output)]
    else:
        line = [str(STUDIO), "quantize", str(sample / MODEL), "--out", str(output), "--json"]
        line += ["--data", str(sample / "calibration")]
        line += ["--dictionary", str(sample / "dictionary.txt")]
        line += shlex.split(command.format(sample=sample))
    home = {"XDG_DATA_HOME": str(folder / "data"), "XDG_CACHE_HOME": str(folder / "cache")}
    return _made(name, line, output, {**os.environ, **home})


def _made(
    name: str, line: Sequence[str], output: Path, environment: Mapping[str, str]
) -> tuple[Row, Path | None]:
    print(f"{name} ...", file=sys.stderr, flush=True)
    begin = time.monotonic()
    done = subprocess.run(
        line, capture_output=True, text=True, timeout=TIMEOUT, check=False, env=environment
    )
    row = Row(name, seconds=round(time.monotonic() - begin, 1))
    if done.returncode:
        row.reason = " ".join(done.stderr.split()[-60:]) or "no message"
        return row, None
    told = json.loads(done.stdout)
    row.peak_mb = told["peak_memory_mb"]
    row.more = {key: told[key] for key in ("cpu_seconds", "facts", "front") if key in told}
    found = told.get("search") or {}
    if found:
        row.more["trials"] = [{**trial, "kept": len(trial["kept"])} for trial in found["trials"]]
    return row, output


def measure(sample: Path, folder: Path, given: argparse.Namespace) -> list[Row]:
    """All rows, the original first."""
    reader = Reader(sample, given.images)
    original = sample / MODEL
    reference = reader.texts(original)
    rows = [Row("float", size=original.stat().st_size)]
    reader.judge(rows[0], reference, reference)
    for name, command in commands(given.extra).items():
        if given.only and name not in given.only:
            continue
        row, path = made(name, command, sample, folder)
        rows.append(row)
        if path is not None:
            reader.judge(row, reader.texts(path), reference)
            row.size = path.stat().st_size
            _time(row, original, path, reader.samples[0])
    return rows


def _time(row: Row, original: Path, path: Path, sample: Sample) -> None:
    before, after = (OnnxRuntime().load(model, {"threads": 1}) for model in (original, path))
    found = latency(before, after, sample.feeds, Silent())
    row.ratio, row.low, row.high = round(found.ratio, 4), round(found.low, 4), round(found.high, 4)


def _sample(folder: Path) -> Path:
    line = [str(STUDIO), "samples", "get", "ocr-hard", "--out", str(folder / "sample"), "--json"]
    home = {"XDG_DATA_HOME": str(folder / "data")}
    subprocess.run(line, check=True, stdout=subprocess.PIPE, env={**os.environ, **home})
    return folder / "sample"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=Path, help="folder of the sample ocr-hard")
    parser.add_argument("--images", type=int, default=400, help="unseen pictures")
    parser.add_argument("--only", action="append", default=[], help="make these rows alone")
    parser.add_argument("--with", dest="extra", action="append", default=[], metavar="NAME=OPTIONS")
    parser.add_argument("--keep", type=Path, help="leave the variants in this folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        rows = measure(given.sample or _sample(folder), folder, given)
    document = {
        "name": "bench quantize",
        "peer": "onnxruntime.quantization",
        "model": MODEL,
        "onnxruntime": OnnxRuntime().version(),
        "processor": platform.processor() or platform.machine(),
        "load": os.getloadavg()[0],
        "images": given.images,
        "rows": [asdict(row) for row in rows],
    }
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
