"""Calibration against scikit-learn, and against figures that netcal has given."""

from __future__ import annotations

import numpy
import pytest
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from studio.features.evidence.groups.calibration import calibration
from studio.features.evidence.groups.results import Calibration
from studio.features.evidence.groups.sample_table import SampleRow, SampleTable
from tests.benchmarks.bench_intervals import as_table

Floats = NDArray[numpy.float64]
Flags = NDArray[numpy.bool_]


def samples(count: int, seed: int = 8, power: float = 1.7) -> tuple[Floats, Flags]:
    random = numpy.random.default_rng(seed)
    confidence = random.beta(6, 1.5, count)
    return confidence, random.random(count) < confidence**power


def measured(confidence: Floats, right: Flags) -> Calibration:
    found = calibration(as_table(confidence, right), 0)
    assert found is not None
    return found


@pytest.mark.parametrize("count", [10, 450, 3000])
def test_the_reliability_table_is_scikit_learns(count: int) -> None:
    confidence, right = samples(count)
    share, mean = calibration_curve(right, confidence, n_bins=15)
    bins = measured(confidence, right).bins
    assert [one.right for one in bins] == pytest.approx(share)
    assert [one.confidence for one in bins] == pytest.approx(mean)


def test_bins_of_equal_mass_are_scikit_learns_quantiles() -> None:
    confidence, right = samples(450)
    share, mean = calibration_curve(right, confidence, n_bins=15, strategy="quantile")
    # 30 samples in each bin.
    assert measured(confidence, right).ece_mass == pytest.approx(abs(share - mean).mean())


def test_the_brier_score_of_two_classes_is_scikit_learns() -> None:
    second, outcome = samples(300)
    rows = tuple(
        SampleRow(f"#{k}", 1.0, str(int(y)), str(int(p > 0.5)), max(p, 1 - p), (1 - p, p))
        for k, (p, y) in enumerate(zip(second.tolist(), outcome.tolist(), strict=True))
    )
    found = calibration(SampleTable(rows), 0)
    assert found is not None
    assert found.brier == pytest.approx(brier_score_loss(outcome, second))


def test_the_brier_score_of_more_classes_by_hand() -> None:
    rows = (
        SampleRow("a", 1.0, "0", "0", 0.7, (0.7, 0.2, 0.1)),
        SampleRow("b", 0.0, "2", "1", 0.5, (0.1, 0.5, 0.4)),
    )
    found = calibration(SampleTable(rows), 0)
    assert found is not None
    assert found.brier == pytest.approx((0.09 + 0.04 + 0.01 + 0.01 + 0.25 + 0.36) / 2)


def test_errors_by_hand() -> None:
    confidence = numpy.array([0.62, 0.64, 0.95, 0.97])
    found = measured(confidence, numpy.array([True, False, True, True]))
    assert found.ece == pytest.approx((2 * 0.13 + 2 * 0.04) / 4)
    assert found.mce == pytest.approx(0.13)
    assert found.accuracy == 0.75
    assert sum(one.samples for one in found.bins) == 4


def test_a_calibrated_model_is_within_chance() -> None:
    found = measured(*samples(450, power=1.0))
    assert not found.is_significant
    assert found.low == 0
    assert found.ece == pytest.approx(found.chance, abs=0.03)


def test_a_model_that_is_too_sure_is_beyond_chance() -> None:
    found = measured(*samples(450))
    assert found.is_significant
    assert 0 < found.low < found.ece_debiased < found.ece < found.high


def test_certain_right_answers_have_no_error() -> None:
    found = measured(numpy.ones(20), numpy.ones(20, bool))
    assert found.ece == 0
    assert found.mce == 0
    assert found.p == 1


def test_without_a_confidence_for_each_sample_there_is_none() -> None:
    rows = (SampleRow("a", 1.0, "1", "1", 0.9), SampleRow("b", 1.0, "1", "1"))
    assert calibration(SampleTable(rows), 0) is None
