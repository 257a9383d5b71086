"""The graph of an app that is higher than its room."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from studio.features.apps.pages.app.graph_view import GraphView
from studio.features.apps.results import AppPart
from studio.gui.theme import Theming


def test_a_high_graph_begins_at_its_source(qtbot: QtBot) -> None:
    view = GraphView(Theming("light"))
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    source = AppPart("camera", "source", "video", "A film", "pictures", (), {})
    steps = [
        AppPart(f"step-{at}", "step", "crop", "A part", "pictures", ("camera",), {})
        for at in range(12)
    ]
    view.show_parts((source, *steps))
    box = view.boxes.boxes["camera"]
    assert box.y() > view.viewport().height()

    def is_seen() -> bool:
        shown = view.viewport().rect()
        return bool(shown.contains(box.mapTo(view.viewport(), box.rect().center())))

    qtbot.waitUntil(is_seen)
