"""Models of the zoo in each form that the studio writes, by ``studio convert --to`` itself.

    python -m tests.benchmarks.bench_export [--only MODEL] [--to FORM] [--home DIR] [--markdown]

The environments are made by ``studio backends install`` below ``~/.cache/edgewright/backends`` and
kept there. The peer of each number is ONNX Runtime, on samples of the model's own calibration data.
``--markdown`` prints the table of ``docs/formats.md`` instead of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.bench_backends import HOME, STUDIO
from tests.benchmarks.zoo import entry

LIMIT_S = 3600
FORMS = (
    ("openvino", "fp32"),
    ("pytorch-export", "fp32"),
    ("tflite", "fp32"),
    ("tflite", "int8"),
    ("executorch", "fp32"),
    ("coreml", "fp16"),
    ("coreml", "int8"),
)
ENVIRONMENTS = ("openvino", "pytorch", "litert", "litert-torch", "executorch", "coreml")


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the zoo.

    Attributes:
        sizes: Those that are fixed for forms without open ones.
        edits: What ``studio edit`` does first.
    """

    name: str
    sizes: tuple[str, ...] = ()
    edits: str = ""


MODELS = (
    Model("digits", ("image=1,1,8,8",)),
    Model("ppocr-det", ("x=1,3,480,480",)),
    Model("ppocr-rec", ("x=1,3,48,320",)),
    Model("picodet"),
    Model("minilm", ("input_ids=1,64", "attention_mask=1,64")),
    Model("silero-vad", ("input=1,576", "state=2,1,128")),
    Model("orientation", ("x=1,3,224,224",)),
    Model("yolox"),
    Model("wakeword", ("input_1=1,76,32,1",)),
    Model("ddddocr", ("input1=1,1,64,160",)),
    Model("efficientnet-lite0"),
    Model("selfie"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one conversion; without a failure the model is there."""

    model: str
    form: str
    precision: str
    seconds: float = 0.0
    bytes: int = 0
    samples: int = 0
    max_error: float | None = None
    argmax_equal: float | None = None
    failure: str = ""


def measured(model: Model, form: str, precision: str, home: Path) -> Row:
    """Convert a model of the zoo."""
    folder = entry(model.name).folder()
    sizes = [word for one in model.sizes for word in ("--input", one)]
    words = [str(folder / "model.onnx"), "--to", form, "--precision", precision, *sizes]
    words += ["--data", str(folder / "calibration"), "--json"]
    found = studio(home, "convert", *words)
    if "error" in found:
        return Row(model.name, form, precision, failure=found["error"]["message"])
    check: dict[str, Any] = next(iter(found["checks"]), {})
    return Row(
        model.name,
        form,
        precision,
        found["seconds"],
        found["bytes"],
        check.get("samples", 0),
        check.get("max_error"),
        check.get("argmax_equal"),
        "" if check else " ".join(found["warnings"]),
    )


def studio(home: Path, *words: str) -> dict[str, Any]:
    """Return the JSON of a command; what it writes to standard error is its error."""
    done = subprocess.run(
        [str(STUDIO), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
        env={**os.environ, "EDGEWRIGHT_HOME": str(home)},
    )
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    return found or {"error": {"message": done.stderr.strip()[-300:]}}


def _install(home: Path) -> None:
    listed = studio(home, "backends", "list", "--json")["backends"]
    there = {row["name"] for row in listed if row["state"] == "available"}
    for name in ENVIRONMENTS:
        if name not in there:
            studio(home, "backends", "install", name, "--json")


def markdown(rows: Sequence[Row]) -> str:
    """The table."""
    lines = ["| model | format | precision | seconds | MB | largest error | equal classes | |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for row in rows:
        error = "" if row.max_error is None else f"{row.max_error:.0e}"
        equal = "" if row.argmax_equal is None else f"{row.argmax_equal:.4g}"
        size = f"{row.bytes / 1e6:.2f}" if row.bytes else ""
        cells = (row.model, row.form, row.precision, f"{row.seconds:.0f}", size, error, equal)
        lines.append("| " + " | ".join((*cells, row.failure)) + " |")
    return "\n".join(lines)


def wanted(only: Sequence[str], forms: Sequence[str]) -> Iterator[tuple[Model, str, str]]:
    """Yield models with a form and its precision."""
    for model in MODELS:
        for form, precision in FORMS:
            if (not only or model.name in only) and (not forms or form in forms):
                yield model, form, precision


def main(argv: Sequence[str] | None = None) -> int:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--to", action="append", default=[])
    parser.add_argument("--home", type=Path, default=HOME)
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args(argv)
    _install(given.home)
    rows = []
    for model, form, precision in wanted(given.only, given.to):
        rows.append(measured(model, form, precision, given.home))
        print(json.dumps(asdict(rows[-1])), file=sys.stderr, flush=True)
    document = {"rows": [asdict(row) for row in rows]}
    print(markdown(rows) if given.markdown else json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
