"""Made-up frames: small pictures, and what a linear model answers to them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from studio.packages.drift_reference import reference_of
from studio.runtime.drift.reference import Reference

Arrays = Mapping[str, np.ndarray]
_WEIGHTS = np.random.default_rng(1).normal(0, 0.3, (64, 5)).astype(np.float32)


def pictures(seed: int, count: int, brightness: float = 0.0) -> np.ndarray:
    """Pictures 1 x 8 x 8 that differ in their brightness and in their details."""
    draws = np.random.default_rng(seed)
    base = draws.normal(0.5 + brightness, 0.1, (count, 1, 1, 1))
    return (base + draws.normal(0, 0.2, (count, 1, 8, 8))).astype(np.float32)


def frame(picture: np.ndarray) -> tuple[Arrays, Arrays]:
    """One request and its answer."""
    batch = picture[None]
    return {"image": batch}, {"scores": batch.reshape(1, -1) @ _WEIGHTS}


def reference(count: int = 400) -> Reference:
    """Of typical pictures."""
    found = reference_of(frame(picture) for picture in pictures(0, count))
    assert found is not None
    return found
