"""Regions of a map: those of OpenCV, as the least turned rectangles."""

from __future__ import annotations

import cv2
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from studio.runtime.serve.decoders import regions as module
from studio.runtime.serve.decoders.regions import Region, in_reading_order, regions


def drawn(*rectangles: tuple[tuple[float, float], tuple[float, float], float]) -> numpy.ndarray:
    """A map with turned rectangles (middle, sides, degrees)."""
    picture = numpy.zeros((120, 160), numpy.uint8)
    for rectangle in rectangles:
        corners = cv2.boxPoints(rectangle).round().astype(numpy.int32)
        cv2.fillPoly(picture, [corners], 255)
    return picture / 255.0


@settings(max_examples=60, deadline=None)
@given(
    some.floats(30, 130), some.floats(30, 90), some.floats(12, 50), some.floats(8, 24),
    some.floats(-80, 80),
)  # fmt: skip
def test_a_turned_rectangle_is_found_as_it_lies(
    x: float, y: float, width: float, height: float, angle: float
) -> None:
    likely = drawn(((x, y), (width, height), angle))
    (found,) = regions(likely, 0.5, 0.5, 0.0)
    cells = numpy.argwhere(likely > 0.5)[:, ::-1]
    _, sides, _ = cv2.minAreaRect(cells.astype(numpy.float32))
    ours = numpy.linalg.norm(numpy.diff(found.corners[:3], axis=0), axis=1)
    assert numpy.prod(ours) == pytest.approx(numpy.prod(sides), rel=1e-4)
    assert found.score == pytest.approx(1.0)


@settings(max_examples=100, deadline=None)
@given(some.integers(0, 2**32 - 1), some.floats(0.2, 0.6))
def test_regions_are_those_of_opencv(seed: int, density: float) -> None:
    mask = numpy.random.default_rng(seed).random((24, 31)) < density
    found = module._connected(mask)
    count, labels = cv2.connectedComponents(mask.astype(numpy.uint8), connectivity=8)
    assert len(found) == count - 1
    for group in found:
        cells = {int(labels[row, at]) for row, begin, end in group for at in range(begin, end)}
        assert len(cells) == 1
    covered = sum(end - begin for group in found for _, begin, end in group)
    assert covered == mask.sum()


def test_a_region_is_widened_by_its_area_and_perimeter() -> None:
    likely = drawn(((80, 60), (40, 20), 0))
    (core,) = regions(likely, 0.5, 0.5, 0.0)
    (wide,) = regions(likely, 0.5, 0.5, 1.5)
    width, height = core.corners[2] - core.corners[0]
    distance = width * height * 1.5 / (2 * (width + height))
    assert wide.corners[0] == pytest.approx(core.corners[0] - distance)
    assert wide.corners[2] == pytest.approx(core.corners[2] + distance)


def test_corners_begin_at_the_upper_left_and_run_clockwise() -> None:
    (found,) = regions(drawn(((80, 60), (40, 20), 0)), 0.5, 0.5, 0.0)
    left, top, right, bottom = *found.corners.min(axis=0), *found.corners.max(axis=0)
    wanted = [[left, top], [right, top], [right, bottom], [left, bottom]]
    assert found.corners.tolist() == wanted


def test_small_and_unlikely_regions_are_left_out() -> None:
    likely = drawn(((30, 30), (20, 12), 0), ((100, 30), (1, 1), 0))
    likely[80:95, 20:60] = 0.55
    assert len(regions(likely, 0.5, 0.5, 1.5)) == 2
    assert len(regions(likely, 0.5, 0.6, 1.5)) == 1
    assert regions(numpy.zeros((8, 8)), 0.5, 0.5, 1.5) == []


def test_noise_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_RUNS", 50)
    with pytest.raises(ValueError, match="The map is noise"):
        regions(numpy.random.default_rng(1).random((40, 40)), 0.5, 0.5, 1.5)


def test_a_page_of_noise_takes_no_more_than_a_moment() -> None:
    likely = numpy.random.default_rng(1).random((480, 480))
    assert isinstance(regions(likely, 0.9, 0.5, 1.5), list)


def test_regions_are_read_line_by_line() -> None:
    upper_left = ((300, 12), (20, 18), (160, 20.4), (10, 28), (10, 60), (400, 33))
    given = [Region(numpy.array([place] * 4, float), 1.0) for place in upper_left]
    found = [tuple(one.corners[0].tolist()) for one in in_reading_order(given)]
    assert found == [(20, 18), (160, 20.4), (300, 12), (10, 28), (400, 33), (10, 60)]
