"""The start of the window over a damaged registry."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from studio.api import StudioError
from studio.gui.window.dialogs.recovery import RecoveryDialog, open_workspace
from studio.settings import Paths
from studio.workspace import Workspace


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database of a workspace whose registry had a copy made of it, and was damaged then."""
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    with Workspace.open() as workspace:
        workspace.registry.add_model("kept")
    database = Paths.of().registry / "registry.sqlite"
    database.write_bytes(bytes(100) + database.read_bytes()[100:])
    return database


def answer(button: str) -> None:
    """Press a button of the dialog as soon as it is there."""

    def press() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, RecoveryDialog):
            QTimer.singleShot(10, press)
            return
        next(one for one in dialog.buttons() if button in one.text()).click()

    QTimer.singleShot(0, press)


def test_a_damaged_registry_is_put_back_from_its_copy(qtbot: QtBot, damaged: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    answer("Restore the copy of")
    with open_workspace(window) as workspace:
        assert [model.name for model in workspace.registry.models()] == ["kept"]
    assert list(damaged.parent.glob("damaged-*/registry.sqlite")), "what was there was not kept"


def test_without_a_yes_nothing_is_touched(qtbot: QtBot, damaged: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    before = damaged.read_bytes()
    answer("Close")
    with pytest.raises(StudioError, match="is damaged") as told:
        open_workspace(window)
    assert "studio registry restore" in told.value.hint
    assert damaged.read_bytes() == before


def test_without_a_copy_none_is_offered(qtbot: QtBot, damaged: Path) -> None:
    for copy in (damaged.parent / "backups").glob("*.sqlite"):
        copy.unlink()
    with pytest.raises(StudioError) as told:
        Workspace.open()
    window = QWidget()
    qtbot.addWidget(window)
    dialog = RecoveryDialog(told.value, window)
    assert dialog.restore is None
    assert "There is no backup" in dialog.informativeText()
