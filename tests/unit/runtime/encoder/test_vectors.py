"""Pooling by hand: each kind, several together, and outputs of another form."""

from __future__ import annotations

import numpy as np
import pytest

from studio.runtime.encoder.vectors import normalized, pooled

STATES = np.array([[[1, 2], [3, 6], [9, 9]], [[4, 0], [2, -2], [3, 5]]], np.float32)
MASK = np.array([[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(
    ("pooling", "vectors"),
    [
        ("cls", [[1, 2], [4, 0]]),
        ("max", [[3, 6], [4, 5]]),
        ("mean", [[2, 4], [3, 1]]),
        ("mean-sqrt", [[4 / 2**0.5, 8 / 2**0.5], [9 / 3**0.5, 3 / 3**0.5]]),
        ("last", [[3, 6], [3, 5]]),
    ],
)
def test_each_kind(pooling: str, vectors: list[list[float]]) -> None:
    np.testing.assert_allclose(pooled(STATES, MASK, [pooling]), vectors, rtol=1e-6)


def test_several_follow_each_other() -> None:
    found = pooled(STATES, MASK, ["cls", "mean"])
    np.testing.assert_allclose(found, [[1, 2, 2, 4], [4, 0, 3, 1]])


def test_vectors_that_are_pooled_already() -> None:
    np.testing.assert_allclose(pooled(STATES[:, 0], MASK, ["none"]), STATES[:, 0])


@pytest.mark.parametrize("pooling", ["none", "mean"])
def test_another_form_is_refused(pooling: str) -> None:
    states = STATES if pooling == "none" else STATES[:, 0]
    with pytest.raises(ValueError, match="did not give one vector for each"):
        pooled(states, MASK, [pooling])


def test_length_one() -> None:
    found = normalized(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0.0, 0.0]])
