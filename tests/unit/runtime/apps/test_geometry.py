"""Lines, areas and planes, with cases that another library has answered."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from studio.runtime.apps.geometry import (
    anchor_points,
    edge_distance,
    inside,
    line_distance,
    on_plane,
    plane_matrix,
)
from tests.unit.runtime.apps.walks import step, walk

# Made with supervision 0.31.2 by make_geometry_cases.py in the same folder.
CASES = json.loads(
    (Path(__file__).parents[3] / "data" / "apps" / "geometry_cases.json").read_text()
)
BOX = np.array([[10.0, 20.0, 30.0, 80.0]])


def test_lines_count_the_same_crossings_as_supervision() -> None:
    found = []
    for case in CASES["lines"]:
        line = step("line", {"start": case["start"], "end": case["end"], "margin": 0.0})
        path = [(float(x), float(y)) for x, y in case["path"]]
        events = walk(line, path, fps=1.0)
        found.append([[event.stamp.number, event.details["direction"]] for event in events])
    assert found == [case["events"] for case in CASES["lines"]]
    assert sum(map(len, found)) > 100


def test_areas_hold_the_same_points_as_supervision() -> None:
    for case in CASES["zones"]:
        area, points = np.array(case["area"], float), np.array(case["points"], float)
        assert inside(area, points).astype(int).tolist() == case["inside"]
    assert sum(sum(case["inside"]) for case in CASES["zones"]) > 30


@pytest.mark.parametrize(
    ("anchor", "expected"), [("bottom", (20, 80)), ("center", (20, 50)), ("top", (20, 20))]
)
def test_anchors_are_in_the_middle_of_a_box(anchor: str, expected: tuple[int, int]) -> None:
    assert tuple(anchor_points(BOX, anchor)[0]) == expected


def test_the_left_hand_of_a_line_that_goes_up_the_picture_is_left() -> None:
    start, end = np.array([100.0, 200.0]), np.array([100.0, 50.0])
    points = np.array([[70.0, 100.0], [110.0, 500.0]])
    assert line_distance(start, end, points).tolist() == [-30.0, 10.0]


def test_the_distance_from_an_area_is_that_of_its_nearest_edge() -> None:
    square = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])
    points = np.array([[5.0, 4.0], [13.0, 14.0], [5.0, 0.0]])
    assert edge_distance(square, points).tolist() == [4.0, 5.0, 0.0]


def test_a_plane_gives_back_the_metres_of_its_four_points_and_of_those_between() -> None:
    metres = np.array([[0.0, 0], [4, 0], [4, 10], [0, 10]])
    points = np.array([[300.0, 100], [500, 100], [700, 400], [100, 400]])
    matrix = plane_matrix(points, metres)
    assert on_plane(matrix, points) == pytest.approx(metres, abs=1e-9)
    # The diagonals of the picture's trapezium cut each other where those of the ground do.
    assert on_plane(matrix, np.array([[400.0, 175.0]])) == pytest.approx(np.array([[2.0, 5.0]]))


def test_three_points_on_one_line_are_no_plane() -> None:
    flat = np.array([[0.0, 0], [1, 0], [2, 0], [0, 5]])
    with pytest.raises(ValueError, match="one line"):
        plane_matrix(flat, np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]))
