"""The dialog that opens a model, and what the status bar reports of the network."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from studio.api import Permission
from studio.gui.window.main_window import MainWindow

JOB_MS = 30_000


def test_the_open_dialog_shows_the_files_that_are_converted(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    patterns: list[str] = []

    def chosen(*given: str) -> tuple[str, str]:
        patterns.append(given[3])
        return "", ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", chosen)
    window.choose_model()
    for ending in ("onnx", "gguf", "pt2", "ts", "pth", "keras", "joblib", "pkl"):
        assert f"*.{ending}" in patterns[0].partition(";;")[0]


def test_the_window_is_online_while_a_job_uses_the_network(
    window: MainWindow, qtbot: QtBot
) -> None:
    assert window.jobbar.offline.text() == "Offline: no network access"
    job = window.start("samples-get", name="digits")
    assert job is not None
    assert Permission.NETWORK in job.spec.needs
    window.jobbar.refresh()
    assert window.jobbar.offline.text() == "Online: a job has network access"
    qtbot.waitUntil(lambda: not job.running, timeout=JOB_MS)
    qtbot.waitUntil(lambda: window.jobbar.offline.text().startswith("Offline"))
