"""Lines and areas on the picture, moved and drawn with mouse and keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from studio.features.apps.pages.app.page import AppPage
from studio.features.apps.pages.app.preview import Preview
from tests.features.apps.pages.sample_app import HEIGHT, WIDTH, check, open_checked, part, progress
from tests.gui.page_rig import Rig

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(rig: Rig, tmp_path: Path) -> AppPage:
    made = rig.page(AppPage)
    open_checked(rig, made, tmp_path, check(str(tmp_path)))
    made.view.preview.show_progress(progress())
    return made


def at(preview: Preview, x: float, y: float) -> QPoint:
    """Where a pixel of the frame is in the widget."""
    return preview.to_widget((x, y)).toPoint()


def near(points: tuple[tuple[float, float], ...], wanted: list[tuple[float, float]]) -> bool:
    """Whether points are those within the pixels that the preview loses by its size."""
    return len(points) == len(wanted) and all(
        abs(one - other) <= 2
        for pair in zip(points, wanted, strict=True)
        for one, other in zip(*pair, strict=True)
    )


def test_the_picture_fills_its_room_and_keeps_its_form(page: AppPage) -> None:
    area = page.view.preview.preview.area()
    assert area.width() / area.height() == pytest.approx(WIDTH / HEIGHT, rel=0.02)
    place = page.view.preview.preview.to_widget((123, 45))
    assert page.view.preview.preview.to_frame(place) == pytest.approx((123, 45))


def test_a_point_is_dragged(page: AppPage, qtbot: QtBot) -> None:
    card = page.view.preview
    card.choose("yard")
    assert card.step.currentText() == "yard"
    qtbot.mousePress(card.preview, LEFT, pos=at(card.preview, 200, 200))
    assert card.drawing.at == (0, 2)
    qtbot.mouseMove(card.preview, at(card.preview, 300, 250))
    qtbot.mouseRelease(card.preview, LEFT, pos=at(card.preview, 300, 250))
    (shape,) = card.drawing.own()
    assert near(shape.points, [(100, 100), (200, 100), (300, 250), (100, 200)])
    assert card.save.isVisible()
    assert not card.step.isEnabled()
    card.discard.click()
    assert not card.save.isVisible()
    assert card.step.isEnabled()


def test_a_new_area_is_drawn_with_the_mouse(page: AppPage, qtbot: QtBot) -> None:
    card = page.view.preview
    card.choose("yard")
    card.new.click()
    assert card.new.text() == "Cancel drawing"
    wanted: list[tuple[float, float]] = [(50, 50), (250, 60), (150, 200)]
    for x, y in wanted:
        qtbot.mouseClick(card.preview, LEFT, pos=at(card.preview, x, y))
    assert card.drawing.pending is not None
    qtbot.mouseClick(card.preview, LEFT, pos=at(card.preview, 51, 51))
    assert card.drawing.pending is None
    assert near(card.drawing.own()[0].points, wanted)


def test_escape_ends_drawing_and_keeps_the_line(page: AppPage, qtbot: QtBot) -> None:
    card = page.view.preview
    card.choose("cross")
    card.new.click()
    qtbot.mouseClick(card.preview, LEFT, pos=at(card.preview, 50, 50))
    qtbot.keyClick(card.preview, Qt.Key.Key_Escape)
    assert card.drawing.pending is None
    assert not card.drawing.is_changed


def test_a_point_is_moved_with_the_keys_and_named(page: AppPage, qtbot: QtBot) -> None:
    card = page.view.preview
    card.choose("cross")
    qtbot.keyClick(card.preview, Qt.Key.Key_PageDown)
    qtbot.keyClick(card.preview, Qt.Key.Key_PageDown)
    qtbot.keyClick(card.preview, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(card.preview, Qt.Key.Key_Down)
    assert card.drawing.own()[0].points == ((10.0, 20.0), (120.0, 21.0))
    assert card.preview.accessibleName() == "Preview, point 2 of cross at 120, 21"


def test_a_double_click_on_an_edge_adds_a_point(page: AppPage, qtbot: QtBot) -> None:
    card = page.view.preview
    card.choose("yard")
    qtbot.mouseDClick(card.preview, LEFT, pos=at(card.preview, 150, 100))
    assert len(card.drawing.own()[0].points) == 5
    card.remove.click()
    assert len(card.drawing.own()[0].points) == 4


def test_the_line_is_painted_where_it_is(page: AppPage) -> None:
    card = page.view.preview
    card.choose("cross")
    image = card.preview.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    scale = image.width() / card.preview.width()
    accent = page.shell.theming.current.color("accent")
    middle = card.preview.to_widget((60, 20))
    around = [
        image.pixelColor(round(middle.x() * scale), round(middle.y() * scale) + away)
        for away in range(-3, 4)
    ]
    assert any(
        max(abs(one.red() - accent.red()), abs(one.blue() - accent.blue())) < 60 for one in around
    )


def test_without_a_picture_nothing_is_drawn(rig: Rig, qtbot: QtBot, tmp_path: Path) -> None:
    page = rig.page(AppPage)
    open_checked(rig, page, tmp_path, check(str(tmp_path)))
    card = page.view.preview
    assert not card.new.isEnabled()
    assert card.new.toolTip().startswith("Run the app first")
    qtbot.mouseClick(card.preview, LEFT)
    assert card.drawing.at is None


def test_an_app_of_signals_has_no_preview(rig: Rig, tmp_path: Path) -> None:
    parts = (
        replace(part("motor", "source", "wav"), gives="signal"),
        part("level", "step", "level", {"motor": "signal"}),
    )
    page = rig.page(AppPage)
    open_checked(rig, page, tmp_path, check(str(tmp_path), parts=parts))
    assert not page.view.preview.isVisible()
    assert page.view.tabs.isVisible()
    open_checked(rig, page, tmp_path, check(str(tmp_path)))
    assert page.view.preview.isVisible()
