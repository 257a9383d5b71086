"""Least rectangles: bit by bit those of OpenCV, around regions and around widened ones."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some

from studio.runtime.serve.decoders.rectangles import least_rectangle

seeds = some.integers(0, 2**32 - 1)


def blob(seed: int) -> np.ndarray:
    """The contour of a turned rectangle with worn corners, n x 1 x 2."""
    chance = np.random.default_rng(seed)
    mask = np.zeros((140, 240), np.uint8)
    angle = chance.choice([0.0, chance.uniform(-9, 9), chance.uniform(-90, 90)])
    middle, sides = (120 + chance.uniform(-20, 20), 70), chance.uniform((15, 8), (120, 40))
    corners = cv2.boxPoints((middle, sides, angle)).round().astype(np.int32)
    cv2.fillPoly(mask, [corners], 1)
    for x, y in corners.tolist():
        cv2.circle(mask, (x, y), int(chance.integers(0, 4)), 0, -1)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max(contours, key=len)


def rows(corners: np.ndarray) -> list[list[float]]:
    return sorted(corners.tolist())


@settings(max_examples=200, deadline=None)
@given(seeds)
def test_rectangles_are_those_of_opencv_bit_by_bit(seed: int) -> None:
    contour = blob(seed)
    middle, sides, degrees = wanted = cv2.minAreaRect(contour)
    found = least_rectangle(contour.reshape(-1, 2))
    assert tuple(map(float, found.middle)) == middle
    assert tuple(map(float, found.sides)) == sides
    assert rows(found.corners()) == rows(cv2.boxPoints(wanted))
    assert -90 <= float(degrees) < 0


@settings(max_examples=60, deadline=None)
@given(seeds, some.floats(0.5, 2.5))
def test_widened_rectangles_have_round_corners_around_them(seed: int, ratio: float) -> None:
    narrow = least_rectangle(blob(seed).reshape(-1, 2))
    wide = narrow.widened(ratio)
    distance = np.prod(narrow.sides, dtype=float) * ratio / (2 * float(sum(narrow.sides)))
    gains = np.sort(wide.sides).astype(float) - np.sort(narrow.sides)
    assert (np.abs(gains - 2 * distance) < 3.0).all()  # corners are whole cells


def test_points_in_one_line_have_no_area() -> None:
    for points in ([[3, 4]], [[3, 4], [9, 4]], [[1, 1], [2, 2], [5, 5]]):
        assert least_rectangle(np.array(points)).shortest == 0.0


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_points_may_begin_at_the_right_end_of_the_upper_edge(seed: int) -> None:
    """As polygons of Clipper do: another one of equal rectangles may be the last then."""
    hull = cv2.convexHull(blob(seed), clockwise=False)
    top = [tuple(point) for point in hull[:, 0].tolist()]
    end = max(range(len(top)), key=lambda at: (-top[at][1], top[at][0]))
    wanted = cv2.minAreaRect(np.roll(hull, -1 - end, axis=0))
    found = least_rectangle(hull.reshape(-1, 2), from_right=True)
    assert rows(found.corners()) == rows(cv2.boxPoints(wanted))
