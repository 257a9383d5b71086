"""The compilation of TFLite for Ethos-U, in the environment where Arm's Vela lives.

This file, its part and Vela alone; nothing of the studio. ``run`` is called as ``studio.api.chips``
describes for compilers.
"""

from __future__ import annotations

import csv
import glob
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# Its part lies next to it; the environment knows nothing of the folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_output: Any = importlib.import_module("tool_output")

Tell = Callable[..., None]
Json = Mapping[str, Any]

_REFUSAL = re.compile(
    r"^Warning \(supported operators\) operator: (?P<operator>\w+)(?:, ofm: '(?P<name>[^']*)')?.*\n"
    r"Reason: (?P<reason>.*(?:\n(?!\s*$|Warning).*)?)",
    re.MULTILINE,
)
"""What Vela prints for each operator that stays on the processor."""

_KIB = 1024
_ENDING = "_vela.tflite"


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Compile a file; what goes wrong is in ``error``."""
    tell(0.0, 0.0, "Loading Vela")
    from ethosu.vela import vela
    from ethosu.vela.errors import VelaError

    settings, folder = request["settings"], os.path.dirname(request["output"])
    words = [request["source"], "--output-dir", folder, "--verbose-performance"]
    words += ["--accelerator-config", settings["accelerator"], "--config", "Arm/vela.ini"]
    words += ["--system-config", settings["system"], "--memory-mode", settings["memory"]]
    tell(0.0, 0.0, "Compiling for the NPU")
    code, error = 0, ""
    with _output.caught() as printed:
        try:
            code = vela.main(words)
        except (VelaError, Exception) as raised:
            code, error = 1, str(raised)
        except SystemExit as ended:
            code = 1 if ended.code else 0
    if code:
        return {"error": f"Vela refuses the model: {_reason(error, printed.text)}."}
    return _answer(request, folder, printed.text)


def _answer(request: Json, folder: str, said: str) -> dict[str, Any]:
    stem = os.path.splitext(os.path.basename(request["source"]))[0]
    refused = {found["name"]: found for found in _REFUSAL.finditer(said) if found["name"]}
    nodes = list(_nodes(os.path.join(folder, f"{stem}_per-layer.csv"), refused))
    (summary,) = glob.glob(os.path.join(glob.escape(folder), f"{glob.escape(stem)}_summary_*.csv"))
    artefact = stem + _ENDING
    on_chip = any(node["on_chip"] for node in nodes)
    return {
        "nodes": nodes,
        "estimate": _estimate(summary) if on_chip else {},
        "artefact": artefact if on_chip and os.path.exists(os.path.join(folder, artefact)) else "",
        "warnings": [],
    }


def _nodes(path: str, refused: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the operators of the model, each once: Vela splits some and fuses others."""
    seen = set()
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = row["Name"]
            if name in seen or name.startswith("#"):
                continue
            seen.add(name)
            reason = _output.one_line(refused[name]["reason"]) if name in refused else ""
            on_chip = row["Target"] == "NPU"
            yield {
                "name": name,
                "operator": row["Original Operator"],
                "on_chip": on_chip,
                "reason": "" if on_chip else reason or "the compiler gives no reason",
            }


def _estimate(path: str) -> dict[str, float]:
    with open(path, newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    figures = {
        "latency_ms": float(row["inference_time"]) * 1000,
        "clock_mhz": float(row["core_clock"]) / 1e6,
        "cycles": float(row["cycles_total"]),
        "macs": float(row["nn_macs"]),
    }
    for memory in ("sram", "dram", "on_chip_flash", "off_chip_flash"):
        used = float(row[f"{memory}_memory_used"])
        if used:
            figures[f"{memory}_bytes"] = used * _KIB
    return figures


def _reason(error: str, said: str) -> str:
    """Return the compiler's own last word: its error, else the last line that names one."""
    lines = [line for line in said.splitlines() if line.startswith("Error")]
    found = error or (lines[-1] if lines else "it gives no reason")
    return str(_output.one_line(found.removeprefix("Error: ")))
