"""The gallery of samples: what each shows, and what getting it takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages.welcome.page import SampleTile, source_of
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
