"""Doubt of a real detector: what is kept is harder than what is not. All figures: bench_doubt."""

from __future__ import annotations

import numpy as np
import pytest

from studio.runtime.serve.doubt import MAP, Doubt
from tests.benchmarks.bench_doubt import peers
from tests.benchmarks.zoo.scenes import photographs

pytestmark = pytest.mark.slow


def test_on_photographs_the_detector_errs_where_it_doubts() -> None:
    """Text on photographs, found by PP-OCRv5; whose place is known."""
    found, doubt = list(photographs(80, seed=3)), Doubt()
    errors = np.array([one.error for one in found])
    doubts = np.array([doubt.of(one.outputs) for one in found], np.float64)
    assert doubt.kind == MAP
    kept = np.argsort(-doubts)[:16]
    assert errors[kept].mean() > 1.5 * errors.mean()
    # What is simply the largest of all places says hardly anything.
    largest = np.array([peers(one.outputs)["largest"] for one in found])
    assert errors[np.argsort(-largest)[:16]].mean() < errors[kept].mean()
