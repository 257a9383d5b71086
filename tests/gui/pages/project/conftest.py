"""The Project page in the real window, with a model of its own folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages.project.page import ProjectPage
from studio.gui.window.main_window import MainWindow
from studio.settings import resource

JOB_MS = 30_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample, which a test may change."""
    return Path(shutil.copytree(resource("samples/digits"), tmp_path / "mine"))


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot, folder: Path) -> ProjectPage:
    return opened(window, qtbot, folder / "digits.onnx")


def opened(window: MainWindow, qtbot: QtBot, model: Path) -> ProjectPage:
    """Open a model, and show its project."""
    window.open_model(model)

    def is_read() -> bool:
        project = window.project.value
        return project is not None and project.model == model.stem

    qtbot.waitUntil(is_read, timeout=JOB_MS)
    window.go("project")
    page = window.page()
    assert isinstance(page, ProjectPage)
    return page
