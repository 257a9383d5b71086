"""How often intervals of groups cover the truth, and calibration errors beside other libraries.

Prints one JSON document. Each simulated data set is one group whose true mean is known. With
``--libraries``, an interpreter that has netcal and scikit-learn gives their calibration errors of
the same confidences.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy
from numpy.random import Generator
from numpy.typing import NDArray

from studio.features.evidence.groups.calibration import calibration
from studio.features.evidence.groups.differences import difference, paired_difference
from studio.features.evidence.groups.intervals import mean_interval
from studio.features.evidence.groups.sample_table import SampleRow, SampleTable

Floats = NDArray[numpy.float64]
Draw = Callable[[Generator, int], Floats]

SIZES = (20, 50, 200)
_MANY = 2_000_000
_SLACK = 1e-12

ACCURACIES = (0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97)


def accuracy(share: float) -> Draw:
    """Return figures of 0 and 1."""
    return lambda random, count: (random.random(count) < share).astype(numpy.float64)


def crowded(zeros: float, ones: float, alpha: float, beta: float) -> Draw:
    """Return figures between 0 and 1, of which some are exactly 0 or 1."""

    def draw(random: Generator, count: int) -> Floats:
        place, value = random.random(count), random.beta(alpha, beta, count)
        return numpy.where(place < zeros, 0.0, numpy.where(place > 1 - ones, 1.0, value))

    return draw


def characters(length: int, rate: float) -> Draw:
    """Return the share of right characters of texts of one length."""
    return lambda random, count: 1 - random.binomial(length, rate, count) / length


def boxes(random: Generator, count: int) -> Floats:
    """Return the F1 of pictures with a few boxes."""
    return random.choice((0, 0.5, 2 / 3, 0.8, 1), count, p=(0.1, 0.1, 0.2, 0.15, 0.45))


def words(random: Generator, count: int) -> Floats:
    """Return the share of right characters of words, of which most are read without an error."""
    return 1 - numpy.minimum(1, random.poisson(0.4, count) / random.integers(3, 12, count))


FIGURES: Mapping[str, Draw] = {
    "text, 75 % exact": crowded(0, 0.75, 9, 1.5),
    "text, 40 % exact": crowded(0.05, 0.4, 6, 2),
    "text, 90 % exact": crowded(0, 0.9, 9, 1.5),
    "text, 10 % lost": crowded(0.1, 0.6, 12, 2),
    "characters, 8 a text": characters(8, 0.03),
    "characters, 20 a text": characters(20, 0.05),
    "words": words,
    "boxes": boxes,
    "boxes, crowded": crowded(0.1, 0.25, 4, 2),
    "boxes, poor": crowded(0.35, 0.05, 2, 3),
    "boxes, many": crowded(0, 0, 9, 4),
    "narrow": crowded(0, 0, 80, 20),
    "skewed": crowded(0, 0, 8, 0.4),
    "squared errors": lambda random, count: 1 - random.beta(0.6, 6, count),
    "decibels": lambda random, count: random.normal(30, 6, count),
}


def covered(draw: Draw, truth: float, count: int, sets: int, seed: int) -> float:
    """Return the share of data sets whose interval has the true mean."""
    random, hits = numpy.random.default_rng(seed), 0
    for number in range(sets):
        found = mean_interval(draw(random, count), number)
        assert found.low is not None
        assert found.high is not None
        hits += found.low - _SLACK <= truth <= found.high + _SLACK
    return hits / sets


def mixed(count: int, sets: int) -> float:
    """Return the coverage for figures of 0 and 1 whose true share is uniform in .5 to 1."""
    random, hits = numpy.random.default_rng(11), 0
    for number in range(sets):
        share = float(random.uniform(0.5, 1))
        found = mean_interval(accuracy(share)(random, count), number)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= share <= found.high
    return hits / sets


def differences(count: int, sets: int) -> dict[str, dict[str, float]]:
    """Return coverage of differences, and how often equal groups are called different (5 %)."""
    pairs: dict[str, tuple[Draw, Draw]] = {
        "accuracy .9 and .8": (accuracy(0.9), accuracy(0.8)),
        "accuracy .9, equal": (accuracy(0.9), accuracy(0.9)),
        "words and boxes": (words, boxes),
        "words, equal": (words, words),
    }
    found = {}
    for name, (one, other) in pairs.items():
        random = numpy.random.default_rng(3)
        truth = float(one(random, _MANY).mean() - other(random, _MANY).mean())
        hits = called = 0
        for number in range(sets):
            gap = difference(one(random, count), other(random, count), number)
            assert gap.low is not None
            assert gap.high is not None
            hits += gap.low <= truth <= gap.high
            called += gap.is_significant
        found[name] = {"covered": hits / sets, "significant": called / sets}
    return found


def paired(count: int, sets: int) -> dict[str, dict[str, float]]:
    """Return the same for two variants on the same samples."""
    found = {}
    for name, lost, won in (("equal", 0.05, 0.05), ("5 points worse", 0.08, 0.03)):
        for kind in ("0 and 1", "characters"):
            random = numpy.random.default_rng(4)
            hits = called = 0
            scale = 1.0 if kind == "0 and 1" else 0.2
            for number in range(sets):
                place = random.random(count)
                before = numpy.where(place < lost, 1.0, numpy.where(place < lost + won, 0.0, 1.0))
                moved = numpy.where(place < lost, -1.0, numpy.where(place < lost + won, 1.0, 0.0))
                size = random.beta(2, 2, count) if kind == "characters" else 1.0
                before = before if kind == "0 and 1" else 0.6 + 0 * before
                gap = paired_difference(before + moved * size * scale, before, number)
                assert gap.low is not None
                assert gap.high is not None
                truth = (won - lost) * (1.0 if kind == "0 and 1" else 0.5 * scale)
                hits += gap.low <= truth <= gap.high
                called += gap.is_significant
            found[f"{name}, {kind}"] = {"covered": hits / sets, "significant": called / sets}
    return found


def calibrations(sets: int) -> dict[str, float]:
    """Return how often the interval of the calibration error has the true one."""
    cases: dict[str, Callable[[Floats], Floats]] = {
        "calibrated": lambda c: c,
        "5 points too sure": lambda c: numpy.clip(c - 0.05, 0, 1),
        "sharpened": lambda c: numpy.clip(c**2.2, 0, 1),
    }
    found = {}
    for name, chance in cases.items():
        for count in (100, 450):
            random, hits = numpy.random.default_rng(5), 0
            many = random.beta(6, 1.5, _MANY)
            truth = _true_error(many, chance(many))
            for _ in range(sets):
                confidence = random.beta(6, 1.5, count)
                right = random.random(count) < chance(confidence)
                one = calibration(as_table(confidence, right), 0)
                assert one is not None
                hits += one.low - _SLACK <= truth <= one.high + _SLACK
            found[f"{name}, {count} samples"] = hits / sets
    return found


def _true_error(confidence: Floats, chance: Floats) -> float:
    places = numpy.searchsorted(numpy.linspace(0, 1, 16)[1:-1], confidence, side="left")
    sums = numpy.bincount(places, confidence - chance, 15)
    return float(numpy.abs(sums).sum() / len(confidence))


def as_table(confidence: Floats, right: NDArray[numpy.bool_]) -> SampleTable:
    """Return a table of answers that are right or wrong."""
    rows = (
        SampleRow(f"#{i}", float(one), "1", "1" if one else "0", float(sure))
        for i, (sure, one) in enumerate(zip(confidence, right, strict=True))
    )
    return SampleTable(tuple(rows))


_PEERS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy
from netcal.metrics import ECE, MCE
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss
found = []
for case in json.load(sys.stdin):
    sure, right = numpy.array(case["confidence"]), numpy.array(case["right"])
    share, mean = calibration_curve(right, sure, n_bins=15)
    counts = numpy.histogram(sure, numpy.linspace(0, 1, 16))[0]
    weights = counts[counts > 0] / len(sure)
    found.append({
        "netcal_ece": float(ECE(15).measure(sure, right)),
        "netcal_mce": float(MCE(15).measure(sure, right)),
        "sklearn_ece": float((weights * abs(share - mean)).sum()),
        "sklearn_brier": float(brier_score_loss(right, sure)),
    })
print(json.dumps(found))
"""


def beside_libraries(python: Path) -> list[dict[str, float]]:
    """Return calibration errors of ours, of netcal and of scikit-learn, for the same samples."""
    random = numpy.random.default_rng(8)
    cases = []
    for count in (50, 450, 5000):
        confidence = random.beta(6, 1.5, count)
        cases.append((confidence, random.random(count) < confidence**1.7))
    given = [{"confidence": c.tolist(), "right": r.astype(int).tolist()} for c, r in cases]
    answer = subprocess.run(
        [python, "-c", _PEERS],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    found = []
    for (confidence, right), peer in zip(cases, json.loads(answer.stdout), strict=True):
        one = calibration(as_table(confidence, right), 0)
        assert one is not None
        brier = float(((confidence - right) ** 2).mean())
        found.append(
            {"samples": len(right), "ece": one.ece, "mce": one.mce, "brier": brier, **peer}
        )
    return found


def main() -> int:
    """Simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--libraries", type=Path, metavar="PYTHON")
    given = parser.parse_args()
    random = numpy.random.default_rng(1)
    truths = {name: float(draw(random, _MANY).mean()) for name, draw in FIGURES.items()}
    document: dict[str, object] = {"sets": given.sets}
    for count in SIZES:
        document[f"{count} samples"] = {
            "accuracy, any": mixed(count, given.sets),
            **{
                f"accuracy {share:g}": covered(accuracy(share), share, count, given.sets, 2)
                for share in ACCURACIES
            },
            **{
                name: covered(draw, truths[name], count, given.sets, 2)
                for name, draw in FIGURES.items()
            },
        }
        document[f"differences of {count}"] = differences(count, min(given.sets, 400))
        document[f"pairs of {count}"] = paired(count, given.sets)
    document["calibration"] = calibrations(min(given.sets, 400))
    if given.libraries:
        document["libraries"] = beside_libraries(given.libraries)
    json.dump(document, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
