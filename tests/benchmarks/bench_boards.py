"""Verdicts of studies over boards: simulated, and on real SSH boards of this machine.

Prints one JSON document. Simulated studies count how often a table of a model against itself has
any wrong verdict, and how often a slower model is found. The peer takes each board's own verdict
and does not share the risk. With ``--real N``, the studies run on N boards with an SSH
server each, in namespaces of this machine: two are of a model with itself, one has a slower model.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.rigs.farm import Farm
from tests.rigs.simulated_studies import study
from tests.unit.runtime.models import make_cnn

_WRONG = ("faster", "slower")


def simulated(effect: float, spread: float, studies: int, boards: int) -> dict[str, object]:
    """Count verdicts over many studies."""
    overall: Counter[str] = Counter()
    cells: Counter[str] = Counter()
    alone = table = means = covered = 0
    for seed in range(studies):
        rows, verdict = study(seed, effect, boards, spread)
        words = [one.verdict for row in rows for one in row.verdicts]
        overall[verdict.verdict] += 1
        cells.update(words)
        table += any(word in _WRONG for word in words)
        means += verdict.verdict in _WRONG
        alone += any(one.alone in _WRONG for row in rows for one in row.verdicts)
        covered += (verdict.low or 0) <= effect <= (verdict.high or 0)
    return {
        "true_ratio": effect,
        "spread_between_boards": spread,
        "overall": dict(overall),
        "cells": dict(cells),
        "tables_with_a_difference": table,
        "means_with_a_difference": means,
        "tables_with_a_difference_by_boards_alone": alone,
        "means_whose_interval_covers_the_truth": covered,
    }


def real(boards: int, seconds: float, repeats: int) -> list[dict[str, object]]:
    """Run studies on real SSH boards."""
    with tempfile.TemporaryDirectory() as folder, Farm(Path(folder), boards) as farm:
        small = make_cnn(Path(folder) / "cnn.onnx")
        slow = make_cnn(Path(folder) / "slow.onnx", channels=12)
        found = [farm.study(small, small, seconds=seconds) for _ in range(repeats)]
        found.append(farm.study(small, slow, seconds=seconds, tolerance="1e9"))
    return [_summary(one) for one in found]


def _summary(document: dict[str, Any]) -> dict[str, object]:
    kept = ("target", "state", "reason", "verdicts")
    rows = [{key: row[key] for key in kept} for row in document["boards"]]
    return {"overall": document["overall"], "seconds": document["seconds"], "boards": rows}


def main() -> int:
    """Simulate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--boards", type=int, default=8)
    parser.add_argument("--real", type=int, default=0, metavar="BOARDS")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    began = time.monotonic()
    cases = ((1.0, 0.0, 1), (1.0, 0.02, 4), (1.15, 0.02, 10), (0.87, 0.02, 10))
    document = {
        "name": "studies over boards",
        "boards": given.boards,
        "simulated": [
            {**simulated(effect, spread, studies, given.boards), "studies": studies}
            for effect, spread, part in cases
            if (studies := given.studies // part)
        ],
        "real": real(given.real, given.seconds, given.repeats) if given.real else [],
        "seconds": time.monotonic() - began,
    }
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
