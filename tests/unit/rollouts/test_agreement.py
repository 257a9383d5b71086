"""How far two releases agree on the golden samples: classes, numbers, and boxes of any number."""

from __future__ import annotations

import numpy as np
import pytest

from studio.rollouts.rule import agreement

ROWS = np.float32([[10, 10, 30, 30, 0.9, 1], [50, 50, 80, 80, 0.7, 0], [5, 60, 9, 70, 0.1, 0]])


def test_of_classes_and_of_numbers() -> None:
    before = [{"y": np.float32([[0.1, 0.9]])}, {"y": np.float32([[0.8, 0.2]])}, None]
    now = [{"y": np.float32([[0.4, 0.6]])}, {"y": np.float32([[0.3, 0.7]])}, None]
    assert agreement(before, now) == 0.5
    assert agreement([{"y": np.float32([2.0])}], [{"y": np.float32([2.05])}]) == 1.0
    assert agreement([None], [None]) is None
    other_shape = [{"y": np.float32([[0.1, 0.2, 0.7]])}]
    assert agreement(other_shape, [{"y": np.float32([[0.1, 0.9]])}]) is None


def test_of_boxes_it_is_those_that_are_surely_there() -> None:
    """A box of low score more or less is no other answer; one that is sure is."""
    before = [{"boxes": ROWS}] * 3
    now = [{"boxes": ROWS[:2]}, {"boxes": ROWS[1:]}, {"boxes": ROWS[:2] + np.float32([2, 0] * 3)}]
    now[2]["boxes"][:, 4:] = ROWS[:2, 4:]
    assert agreement(before, now) == pytest.approx(2 / 3)
    assert agreement([{"boxes": ROWS[:0]}], [{"boxes": ROWS}]) == 0.0
    assert agreement([{"boxes": ROWS[2:]}, {"boxes": ROWS}], [{"boxes": ROWS[:0]}] * 2) == 0.5
