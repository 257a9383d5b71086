"""How often verdicts are wrong or missing on a simulated busy machine, against plain medians.

Prints one JSON document. The peer is what a hurried engineer does with the same interleaved
rounds: call a difference of the medians of more than 3 %.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Mapping

import numpy

from studio.runtime.bench.statistics.verdicts import compare

Times = dict[str, numpy.ndarray]


def simulate(chance: numpy.random.Generator, effects: Mapping[str, float], rounds: int) -> Times:
    """Round medians: a shared drift, noise, rounds that something else hits, a bias each."""
    drift = numpy.zeros(rounds)
    for index in range(1, rounds):
        drift[index] = 0.8 * drift[index - 1] + chance.normal(0, 0.03)
    return {
        name: effect
        * numpy.exp(
            drift
            + chance.normal(0, 0.03, rounds)
            + (chance.random(rounds) < 0.3) * chance.exponential(0.4, rounds)
            + chance.normal(0, 0.004)
        )
        for name, effect in effects.items()
    }


def study(effect: float, studies: int, rounds: int) -> dict[str, object]:
    """Count the verdicts of ours and of the peer, for a true ratio."""
    chance = numpy.random.default_rng(7)
    ours: Counter[str] = Counter()
    peer: Counter[str] = Counter()
    for number in range(studies):
        times = simulate(chance, {"a": 1.0, "twin": 1.0, "b": effect}, rounds)
        [verdict], _ = compare("a", times, "twin", seed=number)
        ours[verdict.verdict] += 1
        ratio = math.log(numpy.median(times["b"]) / numpy.median(times["a"]))
        peer["equal" if abs(ratio) <= 0.03 else "slower" if ratio > 0 else "faster"] += 1
    return {"true_ratio": effect, "ours": dict(ours), "peer": dict(peer)}


def main() -> int:
    """Simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    document = {
        "name": "verdicts on a busy machine",
        "peer": "medians of the same rounds differ by more than 3 %",
        "rounds": given.rounds,
        "studies": given.studies,
        "results": [study(effect, given.studies, given.rounds) for effect in (1.0, 1.1, 0.9)],
    }
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
