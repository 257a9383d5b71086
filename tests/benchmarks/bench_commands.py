"""How long commands take from start to end, each beside a named peer of the same minute.

Prints one JSON document: for each figure the median of its rounds in milliseconds, the peer's, and
their ratio. Figure and peer take turns, so that a busy machine disturbs both alike.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "resources" / "samples" / "digits" / "digits.onnx"
STUDIO = str(Path(sys.executable).with_name("studio"))

BARE_SESSION = f"import onnxruntime; onnxruntime.InferenceSession({str(DIGITS)!r})"


@dataclass(frozen=True)
class Figure:
    """Something that is timed, and what it is compared with."""

    name: str
    peer_name: str
    ours: list[str]
    peer: list[str]


FIGURES = (
    Figure(
        "studio --version", "python -c pass",
        [STUDIO, "--version"], [sys.executable, "-c", "pass"],
    ),
    Figure(
        "studio inspect digits.onnx", "onnxruntime.InferenceSession(digits.onnx)",
        [STUDIO, "inspect", str(DIGITS), "--json"], [sys.executable, "-c", BARE_SESSION],
    ),
)  # fmt: skip


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="for each figure (default 7)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="edgewright-bench-") as home:
        env = {**os.environ, "EDGEWRIGHT_HOME": home}
        figures = [measure(figure, rounds, env) for figure in FIGURES]
    print(json.dumps({"rounds": rounds, "figures": figures}, indent=1))
    return 0


def measure(figure: Figure, rounds: int, env: dict[str, str]) -> dict[str, object]:
    """Medians of ours and the peer's, taken in turns; the first turn warms the caches."""
    ours, peer = [], []
    for turn in range(rounds + 1):
        pair = seconds(figure.ours, env), seconds(figure.peer, env)
        if turn:
            ours.append(pair[0])
            peer.append(pair[1])
    ratios = [a / b for a, b in zip(ours, peer, strict=True)]
    return {
        "name": figure.name,
        "ms": round(1000 * statistics.median(ours), 1),
        "peer": figure.peer_name,
        "peer_ms": round(1000 * statistics.median(peer), 1),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_range": [round(min(ratios), 2), round(max(ratios), 2)],
    }


def seconds(command: list[str], env: dict[str, str]) -> float:
    """How long a whole process takes."""
    began = time.perf_counter()
    subprocess.run(command, env=env, capture_output=True, timeout=60, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
