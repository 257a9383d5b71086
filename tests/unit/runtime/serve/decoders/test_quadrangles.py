"""Cells of turned boxes: those that OpenCV fills."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from studio.runtime.serve.decoders.quadrangles import filled, mean_in
from studio.runtime.serve.decoders.regions import regions


def box(width: float, height: float, angle: float) -> np.ndarray:
    return cv2.boxPoints(((50.0, 50.0), (width, height), angle))


@settings(max_examples=300, deadline=None)
@given(some.floats(3, 70), some.floats(3, 30), some.floats(-90, 90))
def test_cells_are_those_that_opencv_fills(width: float, height: float, angle: float) -> None:
    corners = box(width, height, angle).astype(np.int32)
    wanted = np.zeros((100, 100), np.uint8)
    cv2.fillPoly(wanted, corners.reshape(1, -1, 2), 1)
    found = filled(corners.astype(np.int64), 100, 100)
    assert np.array_equal(found, wanted.astype(bool))


@settings(max_examples=100, deadline=None)
@given(some.floats(5, 70), some.floats(5, 30), some.floats(-90, 90))
def test_the_mean_is_that_of_the_cells(width: float, height: float, angle: float) -> None:
    likely = np.random.default_rng(int(width * 100)).random((100, 100))
    corners = box(width, height, angle)
    begin = np.floor(corners.min(axis=0))
    mask = np.zeros((100, 100), np.uint8)
    cv2.fillPoly(mask, (corners - begin).astype(np.int32).reshape(1, -1, 2), 1)
    moved = np.roll(mask, begin.astype(int)[::-1], axis=(0, 1))
    assert mean_in(likely, corners) == pytest.approx(cv2.mean(likely, moved)[0])


def test_a_box_that_leaves_the_map_is_cut_at_its_edges() -> None:
    likely = np.full((10, 10), 0.5)
    assert mean_in(likely, np.array([[-3.0, -2], [4, -2], [4, 5], [-3, 5]], np.float32)) == 0.5


def test_a_box_without_area_is_a_line_with_ends() -> None:
    flat = np.array([[2, 2], [6, 6], [6, 6], [2, 2]])
    assert np.argwhere(filled(flat, 10, 10)).tolist() == [[at, at] for at in range(2, 7)]


def test_a_thin_region_has_another_score_in_its_box() -> None:
    """An L-shaped region fills a small part of the rectangle around it."""
    likely = np.zeros((60, 80))
    likely[10:50, 10:14] = likely[46:50, 10:60] = 0.9
    (inner,) = regions(likely, 0.3, 0.6, 1.5)
    assert inner.score == pytest.approx(0.9)
    assert regions(likely, 0.3, 0.6, 1.5, in_box=True) == []
    (outer,) = regions(likely, 0.3, 0.1, 1.5, in_box=True)
    assert outer.score < 0.4
