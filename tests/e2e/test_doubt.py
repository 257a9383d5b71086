"""Real detectors: what is kept is harder than what is not, and when two versions say the same.

All figures: ``bench_doubt`` and ``bench_likeness``.
"""

from __future__ import annotations

import numpy as np
import pytest

from studio.runtime.serve.outputs.uncertainty import MAP, Uncertainty
from tests.benchmarks.bench_doubt import peers
from tests.benchmarks.bench_likeness import SUBJECTS, judged, pictures, shaken
from tests.benchmarks.zoo.scenes import Detector, photographs

pytestmark = pytest.mark.slow


def test_on_photographs_the_detector_errs_where_it_doubts() -> None:
    """Text on photographs, found by PP-OCRv5; whose place is known."""
    found, doubt = list(photographs(80, seed=3)), Uncertainty()
    errors = np.array([one.error for one in found])
    doubts = np.array([doubt.of(one.outputs) for one in found], np.float64)
    assert doubt.kind == MAP
    kept = np.argsort(-doubts)[:16]
    assert errors[kept].mean() > 1.5 * errors.mean()
    # What is simply the largest of all places says hardly anything.
    largest = np.array([peers(one.outputs)["largest"] for one in found])
    assert errors[np.argsort(-largest)[:16]].mean() < errors[kept].mean()


@pytest.mark.parametrize("name", SUBJECTS)
@pytest.mark.long
def test_a_version_that_finds_the_same_says_the_same(name: str) -> None:
    """Though its numbers are others; and one that finds something else does not."""
    read, size, truth = SUBJECTS[name]
    content, seen = read(), pictures(size, 24, seed=5)
    whole = Detector(content, size)
    before = [whole(one) for one in seen]
    good, bad = (Detector(shaken(content, share), size) for share in (0.005, 0.15))
    told = judged([good(one) for one in seen], before, truth)
    assert told["truly_same"] >= 0.9
    assert told["said_same"] >= 0.9
    assert told["by_numbers"] < told["said_same"]
    told = judged([bad(one) for one in seen], before, truth)
    assert told["truly_same"] <= 0.5
    assert told["said_same"] <= 0.5
