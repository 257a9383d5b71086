"""Many real models, quantized with no option but the data: loss, latency, what was said before.

Each is quantized by the command ``studio quantize MODEL --data CALIBRATION --json``. The loss is
measured here, on samples that the command has not seen; the latency is the command's own (processor
time of one thread, both models in turns, interval of the median). ``--markdown`` prints a table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from studio_onnxruntime.backend import OnnxRuntime
from tests.benchmarks.zoo import ENTRIES, Entry, arrays

STUDIO = Path(sys.executable).with_name("studio")
_TIMEOUT = 900


def measure(entry: Entry) -> dict[str, Any]:
    """What the command makes of one model, and what that loses."""
    folder = entry.folder()
    with tempfile.TemporaryDirectory() as scratch:
        home = {"XDG_DATA_HOME": scratch, "XDG_CONFIG_HOME": scratch}
        out = Path(scratch) / "int8.onnx"
        asked = [folder / "model.onnx", "--data", folder / "calibration", "--out", out]
        ahead = _studio("quantize", [*asked[:3], "--estimate"], home)
        made = _studio("quantize", asked, home)
        row: dict[str, Any] = {
            "title": entry.title,
            "measure": entry.measure,
            "predicted": ahead.get("outlook") or ahead.get("error"),
        }
        if "error" in made:
            return {**row, "refused": made["error"]}
        before, after = _scores(entry, folder, out)
        low, high = made["latency_interval"]
        return {
            **row,
            "before": round(before, 4),
            "after": round(after, 4),
            "latency_ratio": round(made["latency_ratio"], 3),
            "latency_interval": [round(low, 3), round(high, 3)],
            "size_ratio": round(made["size_ratio"], 3),
            "sqnr_db": round(made["sqnr_db"], 1),
            "advice": made.get("advice"),
            "quantized": made["facts"]["quantized"],
            "kept": len(made["facts"]["kept"]),
            "seconds": made["seconds"],
            "peak_memory_mb": made["peak_memory_mb"],
        }


def _studio(command: str, asked: list[Any], home: dict[str, str]) -> dict[str, Any]:
    words = [STUDIO, command, *map(str, asked), "--json"]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=_TIMEOUT, check=False,
        env={**os.environ, **home},
    )  # fmt: skip
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        return {"error": done.stderr.strip().splitlines()[-1:]}
    return found


def _scores(entry: Entry, folder: Path, out: Path) -> tuple[float, float]:
    samples = arrays.read(folder / "heldout")
    outputs = []
    for path in (folder / "model.onnx", out):
        session = OnnxRuntime().load(path, {"threads": 1})
        outputs.append([session.run(one) for one in samples])
        session.close()
    return tuple(entry.score(folder, one, outputs[0]) for one in outputs)  # type: ignore[return-value]


def markdown(rows: dict[str, dict[str, Any]]) -> list[str]:
    """The table of the documentation."""
    lines = [
        "| model | measure | float | int8 | time / float | predicted | size | what is said |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows.values():
        told = row.get("refused") or row.get("advice") or ""
        ahead = row["predicted"]
        range_ = f"{ahead['low']:.2f}-{ahead['high']:.2f}" if isinstance(ahead, dict) else ""
        cells = ["", "", "", range_, ""]
        if "after" in row:
            low, high = row["latency_interval"]
            time = f"{row['latency_ratio']:.2f} ({low:.2f}-{high:.2f})"
            scores = [f"{row[key]:.3f}" for key in ("before", "after")]
            cells = [*scores, time, range_, f"{row['size_ratio']:.2f}"]
        lines.append("| " + " | ".join((row["title"], row["measure"], *cells, str(told))) + " |")
    return lines


def main() -> None:
    """Measure the models that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--markdown", action="store_true")
    asked = parser.parse_args()
    rows = {}
    for entry in ENTRIES:
        if not asked.models or entry.name in asked.models:
            print(f"{entry.name} ...", file=sys.stderr, flush=True)
            rows[entry.name] = measure(entry)
            print(json.dumps(rows[entry.name]), file=sys.stderr, flush=True)
    if asked.markdown:
        print("\n".join(markdown(rows)))
    else:
        print(json.dumps({"models": rows, "load": os.getloadavg()[0]}, indent=1))


if __name__ == "__main__":
    main()
