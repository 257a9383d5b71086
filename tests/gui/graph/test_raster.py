"""Tiles of a canvas: painted once, within the time of a frame, and rough until then."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from studio.gui.graph.area import Area
from studio.gui.graph.raster import HIGH, MOST_TILES, WIDE, Raster, TileStyle, View

GROUND, RED = QColor("#102030"), QColor("#ff0000")


class Scenery:
    """A plane with a red stripe in the middle of every hundred pixels; notes what is painted."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cost = 0.0
        self.color = RED
        self.painted: list[Area] = []
        self.raster = Raster(lambda: self.now)

    def paint(self, painter: QPainter, area: Area) -> None:
        self.painted.append(area)
        self.now += self.cost
        for row in range(int(area.top // 100) - 1, int(area.bottom // 100) + 2):
            painter.fillRect(
                QRectF(area.left, 100 * row + 25, area.right - area.left, 50), self.color
            )

    def frame(
        self, look: TileStyle, top: int = 0, *, ratio: float = 1.0, rough: bool = False
    ) -> tuple[QImage, bool]:
        view = View(look, 0, top, 3 * WIDE, 3 * HIGH, ratio)
        image = QImage(view.width, view.height, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        image.fill(QColor("#00ff00"))
        painter = QPainter(image)
        exact = self.raster.draw(painter, view, GROUND, self.paint, rough=rough)
        painter.end()
        return image, exact


@pytest.fixture
def scenery(qtbot: QtBot) -> Scenery:
    return Scenery()


def stripes(image: QImage, x: int = 700) -> list[bool]:
    """Whether each row is red."""
    return [image.pixelColor(x, y) == RED for y in range(image.height())]


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("top", [0, 37, -64])
def test_a_frame_of_tiles_is_the_scene(scenery: Scenery, top: int, ratio: float) -> None:
    image, exact = scenery.frame(TileStyle(1.0, 0), top, ratio=ratio)
    assert exact
    assert stripes(image) == [25 <= (y + top) % 100 < 75 for y in range(image.height())]


def test_what_was_painted_is_moved(scenery: Scenery) -> None:
    scenery.frame(TileStyle(1.0, 0))
    assert len(scenery.painted) == 9
    scenery.frame(TileStyle(1.0, 0), HIGH)
    assert len(scenery.painted) == 12
    scenery.frame(TileStyle(1.0, 0))
    assert len(scenery.painted) == 12


def test_a_frame_paints_no_longer_than_it_may(scenery: Scenery) -> None:
    scenery.cost = 1.0
    look, done = TileStyle(1.0, 0), []
    while len(done) < 9:
        image, exact = scenery.frame(look)
        done.append(exact)
        assert len(scenery.painted) == len(done)  # one, however long it took
    assert done == [False] * 8 + [True]
    assert scenery.painted[0].top == HIGH  # the middle came first
    assert any(stripes(image))


def test_what_is_not_painted_yet_is_shown_as_it_was(scenery: Scenery) -> None:
    scenery.frame(TileStyle(1.0, 0))
    scenery.cost, scenery.color = 1.0, QColor("#0000ff")
    image, exact = scenery.frame(TileStyle(1.0, 1))
    assert not exact
    assert {image.pixelColor(x, 50).name() for x in (10, 700, 1500)} == {"#ff0000"}
    assert image.pixelColor(700, HIGH + 80).name() == "#0000ff"


def test_a_gesture_scales_what_is_there(scenery: Scenery) -> None:
    scenery.frame(TileStyle(1.0, 0))
    scenery.painted.clear()
    image, exact = scenery.frame(TileStyle(2.0, 0), rough=True)
    assert not exact
    assert not scenery.painted
    assert stripes(image)[100]
    assert not stripes(image)[10]
    image, exact = scenery.frame(TileStyle(0.5, 0), rough=True)  # more is in sight than was painted
    assert exact
    assert stripes(image) == [12.5 <= y % 50 < 37.5 for y in range(image.height())]


def test_few_tiles_are_kept(scenery: Scenery) -> None:
    for step in range(100):
        scenery.frame(TileStyle(1.0, 0), step * HIGH)
    assert len(scenery.raster._tiles) == MOST_TILES
    for version in range(1, 8):
        scenery.frame(TileStyle(1.0, version))
    assert len({look for look, _ in scenery.raster._tiles}) == 2
    scenery.raster.clear()
    assert not scenery.raster._tiles
