"""The app of the sample ``traffic`` with its own detector, on streets that no test has had before.

The seeds are fresh in each run. A failure names its seed; ``EDGEWRIGHT_SEED`` repeats it.
"""

from __future__ import annotations

import os
import random
from statistics import mean

import pytest

from studio.samples.street.scene import CLEAN, HARD
from studio.samples.street.truth import street_with_one_answer
from tests.rigs.street import crossings, f1_of, median_error, speed_errors, true_rows, watched

pytestmark = pytest.mark.slow

GIVEN = os.environ.get("EDGEWRIGHT_SEED")
SEEDS = [int(GIVEN)] if GIVEN else random.SystemRandom().sample(range(10**6), 3)


def test_clear_streets_are_counted_without_an_error() -> None:
    for seed in SEEDS:
        print("seed", seed)
        scene = street_with_one_answer(seed, trouble=CLEAN)
        rows = watched(scene)
        assert crossings(rows) == crossings(true_rows(scene)), f"seed {seed}"
        assert f1_of(scene, rows) >= 0.97, f"seed {seed}"
        assert median_error(speed_errors(scene, rows)) <= 0.02, f"seed {seed}"


def test_noise_blur_halts_and_missing_frames_change_little() -> None:
    """One lost track of some fifty events may be bad luck; the mean of the streets counts."""
    scores = {}
    for seed in SEEDS:
        print("seed", seed)
        scene = street_with_one_answer(seed, trouble=HARD)
        rows = watched(scene)
        scores[seed] = f1_of(scene, rows)
        assert median_error(speed_errors(scene, rows)) <= 0.02, f"seed {seed}"
    assert mean(scores.values()) >= 0.97, f"F1 by seed: {scores}"
