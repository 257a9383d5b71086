"""Calibration of confidences: expected calibration error, Brier score, reliability table.

Errors: Guo et al., "On calibration of modern neural networks" (2017). Brier, "Verification of
forecasts expressed in terms of probability" (1950). Errors by chance: Bröcker and Smith,
"Increasing the reliability of reliability diagrams" (2007).
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from studio.features.evidence.groups.results import Calibration, CalibrationBin
from studio.features.evidence.groups.sample_table import SampleRow, SampleTable

Floats = NDArray[numpy.float64]
Numbers = NDArray[numpy.int64]

BINS = 15
_RESAMPLES = 999
_TAILS = (0.025, 0.975)
_BLOCK = 1 << 22
_ALPHA = 0.05
_SLACK = 1e-12


def calibration(table: SampleTable, seed: int) -> Calibration | None:
    """Return the calibration of a table's confidences; None where a sample has none."""
    confidences = [row.confidence for row in table.rows if row.confidence is not None]
    if not confidences or len(confidences) < len(table.rows):
        return None
    confidence = numpy.array(confidences, numpy.float64)
    right = numpy.array([row.answer == row.label for row in table.rows], numpy.float64)
    members = equal_width(confidence)
    error = _error(confidence, right, members)
    drawn = _resampled(confidence, right, members, seed)
    low, high = map(float, numpy.quantile(drawn, _TAILS))
    bias = float(drawn.mean()) - error
    chance = _by_chance(confidence, members, seed)
    p = (1 + int((chance >= error - _SLACK).sum())) / (1 + len(chance))
    bins = _bins(confidence, right, members)
    return Calibration(
        samples=len(confidence),
        ece=error,
        # A resample has the bias of a small number of samples twice. An error within chance does
        # not exclude perfect calibration, whatever the bootstrap gives.
        low=max(0.0, low - 2 * bias) if p < _ALPHA else 0.0,
        high=high,
        ece_debiased=max(0.0, error - bias),
        chance=float(chance.mean()),
        p=p,
        ece_mass=_error(confidence, right, equal_mass(confidence)),
        mce=max(abs(one.confidence - one.right) for one in bins),
        brier=brier(table.rows),
        confidence=float(confidence.mean()),
        accuracy=float(right.mean()),
        bins=bins,
    )


def equal_width(confidence: Floats, bins: int = BINS) -> Numbers:
    """Return the bin of each confidence; an edge belongs to the bin below."""
    edges = numpy.linspace(0, 1, bins + 1)
    return numpy.searchsorted(edges[1:-1], confidence, side="left").astype(numpy.int64)


def equal_mass(confidence: Floats, bins: int = BINS) -> Numbers:
    """Return the bin of each confidence, each bin with equally many; equal ones share a bin."""
    edges = numpy.quantile(confidence, numpy.linspace(0, 1, bins + 1))
    return numpy.searchsorted(edges[1:-1], confidence, side="left").astype(numpy.int64)


def expected_error(confidence: Floats, right: Floats) -> float:
    """Return the expected calibration error in bins of equal width."""
    return _error(confidence, right, equal_width(confidence))


def _error(confidence: Floats, right: Floats, members: Numbers) -> float:
    sums = numpy.bincount(members, confidence - right, BINS)
    return float(numpy.abs(sums).sum() / len(confidence))


def _resampled(confidence: Floats, right: Floats, members: Numbers, seed: int) -> Floats:
    """Return the expected error of each resample of the samples."""
    random, count = numpy.random.default_rng(seed), len(confidence)
    gaps, found = confidence - right, []
    for rows in _blocks(count):
        drawn = random.integers(0, count, (rows, count))
        found.append(_errors(gaps[drawn], members[drawn]))
    return numpy.concatenate(found)


def _by_chance(confidence: Floats, members: Numbers, seed: int) -> Floats:
    """Return the expected errors of models that are right as often as they are confident."""
    random, found = numpy.random.default_rng(seed), []
    for rows in _blocks(len(confidence)):
        right = random.random((rows, len(confidence))) < confidence
        found.append(_errors(confidence - right, numpy.broadcast_to(members, right.shape)))
    return numpy.concatenate(found)


def _blocks(count: int) -> list[int]:
    """Return how many resamples are drawn at once."""
    step = max(1, min(_RESAMPLES, _BLOCK // count))
    return [min(step, _RESAMPLES - start) for start in range(0, _RESAMPLES, step)]


def _errors(gaps: Floats, members: Numbers) -> Floats:
    """Return the expected error of each row of resampled gaps."""
    rows, count = gaps.shape
    places = members + BINS * numpy.arange(rows)[:, None]
    sums = numpy.bincount(places.ravel(), gaps.ravel(), BINS * rows)
    found: Floats = numpy.abs(sums.reshape(rows, BINS)).sum(axis=1) / count
    return found


def _bins(confidence: Floats, right: Floats, members: Numbers) -> tuple[CalibrationBin, ...]:
    """Return the bins that have a sample."""
    return tuple(
        CalibrationBin(
            low=index / BINS,
            high=(index + 1) / BINS,
            samples=int((members == index).sum()),
            confidence=float(confidence[members == index].mean()),
            right=float(right[members == index].mean()),
        )
        for index in numpy.unique(members).tolist()
    )


def brier(rows: tuple[SampleRow, ...]) -> float | None:
    """Return the Brier score, 0 for perfect probabilities.

    For two classes it is the mean squared error of the second one's probability, for more the sum
    over all classes. None where the probabilities or the classes are not known.
    """
    classes = {len(row.probabilities) for row in rows}
    labels = [row.label for row in rows]
    if len(classes) != 1 or not all(one.isdecimal() and one.isascii() for one in labels):
        return None
    count, wanted = classes.pop(), numpy.array([int(one) for one in labels])
    if count < 2 or wanted.max() >= count:
        return None
    squares = (numpy.array([row.probabilities for row in rows]) - numpy.eye(count)[wanted]) ** 2
    return float(squares[:, 1].mean() if count == 2 else squares.sum(axis=1).mean())
