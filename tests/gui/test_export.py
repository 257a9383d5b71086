"""Export of the graph from the window: with the numbers that are painted, by a real worker."""

from __future__ import annotations

import json
from pathlib import Path

from pytestqt.qtbot import QtBot

from studio.gui.pages.model import ModelPage
from studio.gui.window import MainWindow

JOB_MS = 30_000


def test_the_graph_is_written_with_what_is_painted(
    digits_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    page = digits_window.page()
    assert isinstance(page, ModelPage)
    titles = [action.text() for action in page.export.menu().actions()]
    assert titles == ["Interactive page (HTML)…", "Drawing (SVG)…", "Picture (PNG)…"]
    assert page.export.accessibleName() == "Export the graph"
    page.colors.set_index(1)
    out = tmp_path / "digits.html"
    page.export.write(out)
    qtbot.waitUntil(lambda: str(out) in digits_window.banner.sentence.text(), timeout=JOB_MS)
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
