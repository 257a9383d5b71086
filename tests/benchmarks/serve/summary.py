"""Medians of rounds with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def summary(rounds: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Median and 95 % interval (bootstrap over rounds) of every figure."""
    generator = np.random.default_rng(0)
    result: dict[str, Any] = {}
    for key in rounds[0]:
        values = np.array([one[key] for one in rounds])
        drawn = np.median(values[generator.integers(0, len(values), (2000, len(values)))], axis=1)
        low, high = np.percentile(drawn, [2.5, 97.5])
        result[key] = {"median": _short(float(np.median(values)))}
        result[key].update(low=_short(float(low)), high=_short(float(high)))
    return result


def _short(value: float) -> float:
    return float(f"{value:.4g}")
