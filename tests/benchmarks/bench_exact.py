"""Each exact transform alone on every model of the zoo: how far the float outputs move.

Relative: the largest difference at any output over the largest magnitude of that output, over the
first held-out samples. Beside it what rounding is anyway: ``runtime`` is the same model with
onnxruntime's own fusions and without; ``float64`` how far the float model, and the transformed
one, are from the reference implementation in double precision (one sample; only with ``--doubles``,
which takes minutes on large models).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from studio.api import StudioError
from tests.benchmarks.exact import Exactness
from tests.benchmarks.zoo import ENTRIES, Entry, arrays

_SAMPLES = 8


def measure(entry: Entry, doubles: bool) -> dict[str, Any]:
    """All transforms on one model."""
    folder = entry.folder()
    feeds = arrays.read(folder / "heldout")[:_SAMPLES]
    with tempfile.TemporaryDirectory() as scratch:
        try:
            exact = Exactness(folder / "model.onnx", Path(scratch), feeds)
        except StudioError as error:
            return {"refused": error.message}
        transforms = exact.transforms()
        row: dict[str, Any] = {"runtime": exact.runtime(), "prepare": exact.preparing()}
        row |= {name: exact.error(one) for name, one in transforms.items()}
        if doubles:
            begin = time.monotonic()
            try:
                far = exact.from_doubles(list(transforms.values()))
                row["float64"] = dict(zip(("none", *transforms), far, strict=True))
            except Exception as error:  # the reference implementation has gaps of many kinds
                row["float64_failed"] = f"{type(error).__name__}: {error}"[:200]
            row["seconds"] = round(time.monotonic() - begin, 1)
        return row


def markdown(rows: dict[str, dict[str, Any]]) -> list[str]:
    """The table of the documentation."""
    names = ("fold", "equalise", "equalise_inputs")
    lines = [
        "| model | runtime's own | prepare | " + " | ".join(names) + " | from float64: as it is |",
        "|---|---|---|" + "---|" * (len(names) + 1),
    ]
    for name, row in rows.items():
        if "refused" in row:
            lines.append(f"| {name} | {row['refused']} |" + " |" * (len(names) + 2))
            continue
        cells = [f"{row['runtime']:.0e}", f"{row['prepare']:.0e}"]
        far = row.get("float64", {})
        for each in names:
            count, error = row[each]
            also = f", {far[each]:.0e}" if count and each in far else ""
            cells.append(f"{count}: {error:.0e}{also}" if count else "-")
        cells.append(f"{far['none']:.0e}" if far else "")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Measure the models that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--doubles", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    asked = parser.parse_args()
    rows = {}
    for entry in ENTRIES:
        if not asked.models or entry.name in asked.models:
            rows[entry.name] = measure(entry, asked.doubles)
            print(entry.name, json.dumps(rows[entry.name]), file=sys.stderr, flush=True)
    print("\n".join(markdown(rows)) if asked.markdown else json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
