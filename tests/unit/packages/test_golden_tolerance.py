"""Tolerances of golden samples: by the outputs, but not below the rounding errors of noise."""

from __future__ import annotations

import numpy as np
import pytest

from studio.packages.golden import GoldenSample, tolerance


def samples(largest: float) -> list[GoldenSample]:
    return [GoldenSample({}, {"y": np.array([0.0, largest, -largest / 2], np.float32)})]


@pytest.mark.parametrize(
    ("largest", "made_up", "wanted"),
    [(2.0, False, 2e-3), (2.0, True, 2e-3), (7.5e-7, False, 7.5e-10), (7.5e-7, True, 1e-6)],
)
def test_made_up_inputs_have_a_least_tolerance(
    largest: float, made_up: bool, wanted: float
) -> None:
    found = tolerance(samples(largest), "fp32", None, made_up=made_up)
    assert found.atol == pytest.approx(wanted)


def test_a_chosen_tolerance_is_kept() -> None:
    assert tolerance(samples(1e-6), "fp32", 1e-2, made_up=True).atol == pytest.approx(1e-8)
