"""Slots: fixed boxes of a picture with names."""

from __future__ import annotations

import numpy as np
import pytest

from studio.runtime.apps.settings import AppError
from tests.unit.runtime.apps.walks import stamp, step


def test_each_box_is_an_object_with_its_name() -> None:
    slots = step("slots", {"boxes": {"A1": [0, 0, 10, 20], "A2": [10, 0, 30, 20]}})
    found = slots.process(stamp(0.0), np.zeros((20, 30, 3), np.uint8)).value
    assert found.labels == ("A1", "A2")
    assert found.corners.tolist() == [[0, 0, 10, 20], [10, 0, 30, 20]]
    assert found.scores.tolist() == [1.0, 1.0]


def test_a_slot_outside_the_picture_is_named() -> None:
    slots = step("slots", {"boxes": {"A1": [0, 0, 10, 20], "A2": [10, 0, 31, 20]}})
    with pytest.raises(ValueError, match=r"the slot A2 lies outside the picture of 30 x 20"):
        slots.process(stamp(0.0), np.zeros((20, 30, 3), np.uint8))


@pytest.mark.parametrize("box", [[0, 0, 10], [10, 0, 10, 5], [0, 9, 5, 5], [-1, 0, 5, 5]])
def test_a_box_without_an_area_is_refused(box: list[float]) -> None:
    with pytest.raises(AppError, match=r"the box A1 is left, top, right and bottom"):
        step("slots", {"boxes": {"A1": box}})


def test_slots_need_a_box() -> None:
    with pytest.raises(AppError, match=r"needs 1 to 1,000 boxes"):
        step("slots", {"boxes": {}})
