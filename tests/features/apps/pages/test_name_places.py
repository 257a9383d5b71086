"""Names over the picture of an app: none covers another one, and none leaves the picture."""

from __future__ import annotations

import itertools

import numpy as np
from PIL import Image, ImageDraw
from PySide6.QtCore import QRectF

from studio.features.apps.pages.app.preview import name_places
from studio.runtime.apps.overlay import Mark, _draw_mark

AREA = QRectF(0, 0, 400, 300)


def overlapping(places: list[QRectF]) -> list[tuple[QRectF, QRectF]]:
    return [pair for pair in itertools.combinations(places, 2) if pair[0].intersects(pair[1])]


def test_names_at_the_same_place_are_pushed_apart() -> None:
    found = name_places([QRectF(100, 100, 60, 16)] * 6, AREA)
    places = [one for one in found if one is not None]
    assert len(places) == 6
    assert overlapping(places) == []
    assert places[0] == QRectF(100, 100, 60, 16), "the first has the first choice"


def test_names_stay_inside_the_picture() -> None:
    found = name_places([QRectF(390, y, 60, 16) for y in (-30, 0, 290, 299)], AREA)
    assert all(one is not None and AREA.contains(one) for one in found)


def test_a_name_without_a_free_place_is_left_out() -> None:
    found = name_places([QRectF(10, 10, 60, 16)] * 40, QRectF(0, 0, 80, 60))
    places = [one for one in found if one is not None]
    assert 1 <= len(places) <= 3
    assert overlapping(places) == []


def test_names_of_a_boards_picture_are_pushed_apart() -> None:
    pen, taken = ImageDraw.Draw(Image.new("RGB", (400, 300))), []
    for name in ("north", "south", "speed"):
        _draw_mark(pen, Mark(name, ((50, 50), (90, 50)), False), 1.0, (255, 0, 0), taken)
    boxes = [QRectF(x, y, right - x, bottom - y) for x, y, right, bottom in taken]
    assert overlapping(boxes) == []
    assert len(np.unique([box.top() for box in boxes])) == 3
