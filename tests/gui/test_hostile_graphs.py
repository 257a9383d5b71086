"""Graphs that no honest exporter writes, through the painter: drawn, at any zoom, box by box."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from studio.api import Graph
from studio.gui.graph import paint
from studio.gui.graph.scene import Scene
from studio.gui.graph.view import GraphPane
from studio.gui.theme import Theming
from studio.models.layout import lay_out
from tests.unit.models.test_layout_hostile import HOSTILE

LONGEST = 1_000
"""Characters that are handed to Qt's fonts at most: they overflow and take seconds at megabytes."""


@pytest.fixture
def pane(qtbot: QtBot) -> GraphPane:
    made = GraphPane(Theming("light"))
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    return made


def colours(image: QImage) -> set[int]:
    return {
        image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)
    }


def painted(pane: GraphPane, graph: Graph) -> None:
    """Paint it from afar to close by, with boxes selected and paths lit."""
    scene = Scene(graph, lay_out(graph))
    pane.show_scene(scene)
    canvas = pane.canvas
    ground = len(colours(canvas.grab().toImage()))
    for zoom in (0.02, 0.3, 0.6, 1.0, 2.0):
        canvas.zoom_to(zoom)
        canvas.grab()
    for box in (0, 1, len(scene) - 2, len(scene) - 1):
        canvas.select(box)
        assert len(canvas.accessibleDescription()) < LONGEST
        canvas.trace(down=True)
        canvas.trace(down=False)
        seen = len(colours(pane.grab().toImage()))
        assert seen > 3, f"only {seen} colours for box {box}, {ground} before"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_graphs_are_painted(name: str, pane: GraphPane) -> None:
    painted(pane, HOSTILE[name])


def test_no_text_of_megabytes_reaches_a_font(
    pane: GraphPane, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[int] = []

    class Measure(paint.QFontMetricsF):
        def horizontalAdvance(self, text: str, length: int = -1) -> float:
            measured.append(len(text))
            return float(super().horizontalAdvance(text, length))

    monkeypatch.setattr(paint, "QFontMetricsF", Measure)
    painted(pane, HOSTILE["long name"])
    assert measured
    assert max(measured) < LONGEST


def test_the_edges_of_a_box_with_thousands_are_straight(
    pane: GraphPane, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(paint, "_curves", lambda lines: drawn.append(len(lines)))
    painted(pane, HOSTILE["many inputs"])
    assert drawn == []
