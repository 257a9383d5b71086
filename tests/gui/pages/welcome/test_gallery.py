"""The gallery of samples: what each shows, and what getting it takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.pages.welcome.page import SampleTile, source_of
from studio.gui.widgets.basics import Scroll
from studio.gui.window.main_window import MainWindow
from studio.settings import resource
from studio.workspace import SampleInfo


def tiles(window: MainWindow) -> dict[str, SampleTile]:
    return {
        tile.take.accessibleName(): tile
        for tile in window.page().findChildren(SampleTile)
        if not tile.isHidden()
    }


def test_each_sample_names_what_it_shows_and_takes(window: MainWindow) -> None:
    shown = tiles(window)
    digits = shown["Open the sample Handwritten digits"]
    assert digits.source.text() == "Built in"
    assert "endpoint" in digits.shows.text()
    ocr = shown["Download the sample Text recognition (PP-OCRv5)"]
    assert ocr.source.text() == "Download of 19.2 MB"
    for sample in window.workspace.samples():
        assert sample.shows
        assert resource("icons", f"{sample.picture}.svg").is_file()


def test_the_page_does_not_scroll_while_a_sample_opens(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1000, 620)
    page = window.page()
    bar = page.findChild(Scroll).verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    tiles(window)["Open the sample Handwritten digits"].take.setFocus()
    top = bar.value()
    window.activateWindow()
    for job in (window.start("samples-get", name="digits"),):
        qtbot.waitUntil(lambda job=job: not job.running, timeout=30_000)
    QApplication.processEvents()
    assert bar.value() <= top


def test_a_downloaded_sample_is_opened_without_another_download(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    folder = window.workspace.paths.samples / "ocr"
    folder.mkdir()
    (folder / ".edgewright-sample").write_text("ocr\n")
    (folder / "ppocrv5-rec.onnx").write_text("a model")
    window.page()._show_samples()
    opened: list[Path] = []
    monkeypatch.setattr(window, "open_model", opened.append)
    name = "Open the sample Text recognition (PP-OCRv5)"
    qtbot.waitUntil(lambda: name in tiles(window))
    ready = tiles(window)[name]
    assert ready.source.text() == "Ready"
    ready.take.click()
    assert opened == [folder / "ppocrv5-rec.onnx"]


def test_a_download_of_unknown_size_is_still_one() -> None:
    assert source_of(SampleInfo("a", "A", "", download=True)) == "Download"
