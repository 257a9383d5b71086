"""Export of the graph from the window: with the numbers that are painted, by a real worker."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.graph.keyboard import DIRECTION
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.main_window import MainWindow
from tests.benchmarks.generated import transformer, write_onnx
from tests.gui.conftest import open_graph

JOB_MS = 30_000


def test_the_graph_is_written_with_what_is_painted(
    digits_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    page = digits_window.page()
    assert isinstance(page, ModelPage)
    titles = [action.text() for action in page.export.menu().actions()]
    assert titles == [
        "Interactive page (HTML)…",
        "Drawing of the current view (SVG)…",
        "Picture of the current view (PNG)…",
        "Drawing of all nodes (SVG)…",
        "Picture of all nodes (PNG)…",
    ]
    assert page.export.accessibleName() == "Export the graph"
    page.colors.set_index(1)
    out = tmp_path / "digits.html"
    page.export.write(out)
    qtbot.waitUntil(lambda: str(out) in digits_window.toasts.texts, timeout=JOB_MS)
    text = out.read_text()
    data = json.loads(text[text.index('id="data">') + 10 :].partition("</script>")[0])
    first = data["overlays"][data["shown"]]
    assert (first["title"], first["unit"]) == ("Multiply-accumulates of a node", "MACs")
    names = {data["nodes"][int(number)]["name"] for number in first["values"]}
    assert {"conv1", "conv2"} < names
    assert page.export._running == []
    page.colors.set_index(0)
    assert page._painted() is None
    page.drawer.open(0)
    page.drawer.numbers.paint()
    source = page._painted()
    assert source is not None
    assert source.title == "MACs"


@pytest.mark.parametrize("whole", [True, False])
def test_the_direction_that_is_shown_is_drawn(
    digits_window: MainWindow, qtbot: QtBot, tmp_path: Path, whole: bool
) -> None:
    page = digits_window.page()
    assert isinstance(page, ModelPage)
    page.pane.bar.toggle(DIRECTION)
    qtbot.waitUntil(lambda: bool(page.pane.canvas.scene and page.pane.canvas.scene.across))
    out = tmp_path / "across.svg"
    page.export.write(out, whole=whole)
    qtbot.waitUntil(lambda: str(out) in digits_window.toasts.texts, timeout=JOB_MS)
    root = ElementTree.fromstring(out.read_text())
    assert float(root.attrib["width"]) > float(root.attrib["height"])


@pytest.mark.slow
def test_what_is_shown_is_drawn(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    write_onnx(transformer(400), tmp_path / "large.onnx")
    open_graph(window, qtbot, tmp_path / "large.onnx")
    page = window.page()
    assert isinstance(page, ModelPage)
    assert page.unfolding.export_options() == {"detail": "blocks"}
    page.unfolding.unfold(4)
    qtbot.waitUntil(lambda: bool(page.unfolding.export_options().get("unfold")), timeout=JOB_MS)
    scene = page.pane.canvas.scene
    assert scene is not None
    page.colors.set_index(1)
    out = tmp_path / "seen.svg"
    page.export.write(out, whole=False)
    qtbot.waitUntil(lambda: str(out) in window.toasts.texts, timeout=JOB_MS)
    root = ElementTree.fromstring(out.read_text())
    kinds = [box.get("class") for box in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert len(kinds) == len(scene) + 1
    assert kinds.count("frame") == 1
    page.unfolding.toggle_all()
    qtbot.waitUntil(
        lambda: page.unfolding.export_options().get("unfold") == ["all"], timeout=JOB_MS
    )
