"""Graphs that no honest exporter writes, through the painter: drawn, at any zoom, box by box."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from studio.api import Graph, Node
from studio.gui.graph import paint
from studio.gui.graph.scene import Scene
from studio.gui.graph.signs import sign_at
from studio.gui.graph.view import GraphPane
from studio.gui.theme import Theming
from studio.models.layout import block_paths, lay_out, unfold
from studio.models.walk import BLOCK_DOMAIN, INSIDE
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
    looked_at(pane, Scene(graph, lay_out(graph)))


def looked_at(pane: GraphPane, scene: Scene) -> None:
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


def wrapped(graph: Graph, name: str, depth: int) -> Graph:
    """A graph whose only node is a block that holds it, or a block in a block."""
    inside = graph if depth == 1 else wrapped(graph, name, depth - 1)
    reads = tuple(value.name for value in graph.inputs)
    writes = tuple(value.name for value in graph.outputs)
    marks = {"nodes": len(graph.nodes)}
    block = Node(name, name, reads, writes, BLOCK_DOMAIN, marks, {INSIDE: inside})
    return replace(graph, nodes=(block,))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_graphs_are_unfolded_in_place(name: str, pane: GraphPane) -> None:
    title = max((node.name for node in HOSTILE[name].nodes), key=len, default="block")
    top = wrapped(HOSTILE[name], title, 2)
    paths = list(block_paths(top))
    assert len(paths) == 2
    for opened in (paths[:1], paths):
        part = unfold(top, opened)
        scene = Scene(part.graph, part.layout, frames=part.frames, homes=part.homes)
        assert len(scene.frames) == len(opened)
        looked_at(pane, scene)
        frame = scene.frames[-1]
        canvas = pane.canvas
        canvas.zoom_to(1.0)
        canvas.centre_on(frame.x + 20, frame.y + 10)
        sign = sign_at(
            canvas.scene, canvas.viewport, QPointF(canvas.width() / 2, canvas.height() / 2)
        )
        assert sign is not None
        assert len(sign.text) < LONGEST


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
    monkeypatch.setattr(paint, "_curves", lambda lines, across: drawn.append(len(lines)))
    painted(pane, HOSTILE["many inputs"])
    assert drawn == []
