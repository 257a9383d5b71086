"""What of a scene is in sight: fitted, zoomed at a point, panned no further than the scene."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QSize

from studio.gui.graph.area import Area
from studio.gui.graph.viewport import MARGIN, MOST_ZOOM, READING_ZOOM, Viewport

WIDE, HIGH = 400, 300


def viewport(width: float = 1000.0, height: float = 5000.0) -> Viewport:
    made = Viewport(lambda: QSize(WIDE, HIGH))
    made.extent = (width, height)
    return made


def test_the_area_is_that_of_the_widget_at_its_zoom() -> None:
    view = viewport()
    view.zoom, view.origin = 0.5, QPointF(10, 20)
    assert view.area() == Area(10, 20, 10 + WIDE / 0.5, 20 + HIGH / 0.5)


def test_a_point_goes_to_the_scene_and_back() -> None:
    view = viewport()
    view.zoom, view.origin = 0.5, QPointF(10, 20)
    assert view.to_scene(QPointF(100, 50)) == QPointF(210, 120)
    assert view.to_widget(QPointF(210, 120)) == QPointF(100, 50)


def test_what_is_fitted_has_its_margin_and_its_middle() -> None:
    view = viewport()
    view.fit()
    area = view.area()
    assert view.zoom == pytest.approx((HIGH - 2 * MARGIN) / 5000)
    assert ((area.left + area.right) / 2, (area.top + area.bottom) / 2) == (500, 2500)


def test_a_small_scene_is_not_enlarged_to_fit() -> None:
    view = viewport(100, 50)
    view.fit()
    assert view.zoom == READING_ZOOM


def test_it_begins_with_the_whole_of_what_can_be_read_so() -> None:
    view = viewport(400, 300)
    view.show_start(first=50)
    assert view.zoom == pytest.approx((HIGH - 2 * MARGIN) / 300)


@pytest.mark.parametrize(("width", "middle"), [(300.0, 150.0), (1000.0, 120.0)])
def test_of_a_long_scene_it_shows_the_beginning(width: float, middle: float) -> None:
    view = viewport(width)
    view.show_start(first=120)
    area = view.area()
    assert (view.zoom, area.top, (area.left + area.right) / 2) == (READING_ZOOM, -MARGIN, middle)


def test_a_zoom_keeps_its_anchor_and_has_two_ends() -> None:
    view = viewport()
    view.centre_on(500, 500)
    anchor = QPointF(30, 40)
    before = view.to_scene(anchor)
    view.zoom_by(1.5, anchor)
    assert view.zoom == 1.5
    assert view.to_scene(anchor).toTuple() == pytest.approx(before.toTuple())
    view.zoom_by(1e9)
    assert view.zoom == MOST_ZOOM
    view.zoom_by(1e-9)
    assert view.zoom == pytest.approx((HIGH - 2 * MARGIN) / 5000)  # all of it is in sight


def test_panned_far_away_some_of_the_scene_stays_in_the_middle() -> None:
    view = viewport()
    view.pan(1e9, 1e9)
    assert view.to_scene(QPointF(WIDE / 2, HIGH / 2)) == QPointF(1000, 5000)
    view.pan(-1e9, -1e9)
    assert view.to_scene(QPointF(WIDE / 2, HIGH / 2)) == QPointF(0, 0)


def test_a_point_is_revealed_only_where_it_is_not_well_in_sight() -> None:
    view = viewport()
    view.centre_on(500, 500)
    assert not view.reveal(510, 490)
    assert view.reveal(900, 4000)
    assert view.to_scene(QPointF(WIDE / 2, HIGH / 2)) == QPointF(900, 4000)
    view.zoom = 0.1
    assert view.reveal(900, 4000)  # in sight, too small to be recognised
    assert view.zoom == READING_ZOOM


def test_nothing_is_shown_before_there_is_a_scene() -> None:
    view = Viewport(lambda: QSize(WIDE, HIGH))
    view.fit()
    view.show_start(first=0)
    assert (view.zoom, view.origin) == (READING_ZOOM, QPointF(0, 0))
