"""The best pairs, against all permutations."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from studio.runtime.apps.tracking.assignment import best_pairs


def exhaustive(gains: np.ndarray) -> float:
    """The highest sum of gains, by trying all choices."""
    count = max(gains.shape)
    square = np.zeros((count, count))
    square[: gains.shape[0], : gains.shape[1]] = np.maximum(gains, 0)
    return max(
        sum(square[row, column] for row, column in enumerate(order))
        for order in permutations(range(count))
    )


@pytest.mark.parametrize("seed", range(60))
def test_the_sum_is_the_highest_that_any_choice_has(seed: int) -> None:
    draws = np.random.default_rng(seed)
    gains = draws.random((int(draws.integers(1, 7)), int(draws.integers(1, 7))))
    gains[draws.random(gains.shape) < draws.choice([0.0, 0.4, 0.7])] = 0.0
    rows, columns = best_pairs(gains)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(columns.tolist())) == len(columns)
    assert (gains[rows, columns] > 0).all()
    assert gains[rows, columns].sum() == pytest.approx(exhaustive(gains))


def test_rows_are_in_ascending_order() -> None:
    gains = np.array([[0.0, 0.0, 0.5], [0.9, 0.8, 0.0], [0.8, 0.1, 0.0]])
    rows, columns = best_pairs(gains)
    assert rows.tolist() == [0, 1, 2]
    assert columns.tolist() == [2, 1, 0]


def test_a_row_is_left_alone_where_that_is_better() -> None:
    rows, columns = best_pairs(np.array([[1.0, 0.0], [0.9, 0.0]]))
    assert (rows.tolist(), columns.tolist()) == ([0], [0])


def test_a_crowd_is_assigned_without_a_fault() -> None:
    gains = np.eye(100) + 0.5 * np.random.default_rng(3).random((100, 100))
    rows, columns = best_pairs(gains)
    assert rows.tolist() == list(range(100))
    assert gains[rows, columns].sum() >= np.trace(gains)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_has_no_pairs(shape: tuple[int, int]) -> None:
    assert best_pairs(np.zeros(shape))[0].size == 0
