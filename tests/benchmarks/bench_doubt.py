"""Doubt of detectors: whether they err on the requests that it keeps, and what it costs.

Prints one JSON document. Fixed seeds. Of each set the fifth with the largest doubt is held against
all, which is what a random choice keeps in the mean: one less the F1 of the boxes, and for PicoDet
mean average precision. Peers are other ways to add up the same doubts of places: their largest,
their sum and their mean from a score of .3 on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from studio.runtime.serve.outputs.detections import scores_of
from studio.runtime.serve.outputs.uncertainty import Outputs, Uncertainty
from studio_metrics.detection import MeanAveragePrecision
from tests.benchmarks.zoo import scenes
from tests.benchmarks.zoo.scenes import Scene

Array = np.ndarray[Any, Any]
KEPT = 0.2
_DRAWS = 2000
_USUAL = 0.3

SETS: dict[str, Callable[[int, int], Any]] = {
    "text on photographs, PP-OCRv5": scenes.photographs,
    "lines of spoilt pages, PP-OCRv5": scenes.spoilt_pages,
    "parts of spoilt pages, PicoDet": scenes.spoilt_layouts,
}


def scores(outputs: Outputs) -> Array:
    """Of all places."""
    found = scores_of(outputs)
    return next(iter(outputs.values())).reshape(-1) if found is None else found.read(outputs)


def peers(outputs: Outputs) -> dict[str, float]:
    """Other ways to add up the doubts of places."""
    likely = scores(outputs).astype(np.float64)
    each = 1.0 - np.abs(2.0 * likely - 1.0)
    seen = each[likely >= _USUAL]
    return {
        "largest": float(each.max(initial=0.0)),
        "sum": float(each.sum()),
        "mean of those above .3": float(seen.mean()) if seen.size else 0.0,
    }


def told(errors: Array, doubts: Array, random: np.random.Generator) -> dict[str, float]:
    """How wrong the kept are beside all, with a 95 % interval of the difference (bootstrap)."""
    count = round(KEPT * len(errors))
    kept = np.argsort(-doubts, kind="stable")[:count]
    differences = []
    for _ in range(_DRAWS):
        chosen = random.integers(len(errors), size=len(errors))
        best = chosen[np.argsort(-doubts[chosen], kind="stable")[:count]]
        differences.append(errors[best].mean() - errors[chosen].mean())
    low, high = np.quantile(differences, (0.025, 0.975))
    return {
        "error_of_kept": round(float(errors[kept].mean()), 3),
        "error_of_all": round(float(errors.mean()), 3),
        "more_low": round(float(low), 3),
        "more_high": round(float(high), 3),
        "rank_correlation": round(_rank_correlation(doubts, errors), 3),
    }


def _rank_correlation(first: Array, second: Array) -> float:
    """Spearman's, with mean ranks for what is equal."""
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def _ranks(values: Array) -> Array:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    found: Array = (counts.cumsum() - (counts - 1) / 2)[inverse]
    return found


def precision(kept: Sequence[Scene]) -> float:
    """Mean average precision (COCO's) against what is found on the page as it was."""
    labels = ["; ".join(_label(row) for row in one.wanted.tolist()) for one in kept]
    outputs = [{"boxes": one.found} for one in kept]
    return MeanAveragePrecision().score(outputs, labels, {})


def _label(row: Sequence[float]) -> str:
    return f"{int(row[5])} " + " ".join(f"{side:.3f}" for side in row[:4])


def average_precision(found: Sequence[Scene], doubts: Array, seed: int) -> dict[str, Any]:
    """Of the kept beside as many that are drawn at random, 200 times."""
    count, random = round(KEPT * len(found)), np.random.default_rng(seed)
    kept = [found[place] for place in np.argsort(-doubts, kind="stable")[:count]]
    drawn = [
        precision([found[place] for place in random.choice(len(found), count, replace=False)])
        for _ in range(200)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return {
        "map_of_kept": round(precision(kept), 3),
        "map_of_random": round(float(np.mean(drawn)), 3),
        "random_low": round(float(low), 3),
        "random_high": round(float(high), 3),
    }


def microseconds(answers: Sequence[Outputs]) -> float:
    """Processor time of one answer, the median."""
    doubt, times = Uncertainty(), []
    for answer in [*answers[:5], *answers]:
        start = time.thread_time_ns()
        doubt.of(answer)
        times.append((time.thread_time_ns() - start) / 1e3)
    return round(float(np.median(times[5:])), 1)


def judged(found: Sequence[Scene], answers: Sequence[Outputs], seed: int) -> dict[str, Any]:
    """One set in one form."""
    errors, doubt = np.array([one.error for one in found]), Uncertainty()
    doubts = np.array([doubt.of(answer) for answer in answers], np.float64)
    random = np.random.default_rng(seed)
    each = [peers(answer) for answer in answers]
    result: dict[str, Any] = {
        "kind": doubt.kind,
        "requests": len(found),
        "doubt": told(errors, doubts, random),
        "peers": {
            name: told(errors, np.array([one[name] for one in each]), random) for name in each[0]
        },
        "us_a_request": microseconds(answers),
    }
    if any(len(one.wanted) for one in found):
        result["average_precision"] = average_precision(found, doubts, seed)
    return result


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="pictures of each set")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    results = {}
    for name, make in SETS.items():
        found = list(make(given.count, given.seed))
        results[name] = judged(found, [one.outputs for one in found], given.seed)
        if any(len(one.found) for one in found):
            listed = [scenes.suppressed(one) for one in found]
            results[f"{name}, a list"] = judged(found, listed, given.seed)
        print(name, "done", file=sys.stderr)
    print(json.dumps({"seed": given.seed, "sets": results}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
