"""Files, folders and links that are dragged over the window, and what a drop of them does."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.window.drop_overlay import outcome_of
from studio.gui.window.main_window import MainWindow
from tests.gui.conftest import DIGITS

SOURCES = Path(__file__).parents[2] / "data" / "sources"
SUFFIXES = (".onnx", ".xml", ".tflite")
COPY, MOVE = Qt.DropAction.CopyAction, Qt.DropAction.MoveAction
_LEFT, _NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
_AT = QPointF(9, 9)


def data_of(*urls: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl(url) for url in urls])
    return data


def drag(window: MainWindow, data: QMimeData) -> bool:
    """Drag something over the window; whether it is accepted."""
    enter = QDragEnterEvent(_AT.toPoint(), COPY, data, _LEFT, _NO_KEY)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    return enter.isAccepted()


def drop(window: MainWindow, *urls: str) -> None:
    data = data_of(*urls)
    assert drag(window, data)
    QApplication.sendEvent(window, QDropEvent(_AT, COPY, data, _LEFT, _NO_KEY))


@pytest.fixture
def opened(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that the window opens."""
    found: list[Path] = []
    monkeypatch.setattr(window._opening, "open", found.append)
    return found


@pytest.mark.parametrize(
    ("names", "title", "count"),
    [
        (["a.onnx"], "Open a.onnx", 1),
        (["A.ONNX"], "Open A.ONNX", 1),
        (["a.onnx", "b.tflite"], "Open 2 models", 2),
        (["a.onnx", "notes.txt"], "Open a.onnx", 1),
        (["notes.txt"], "Not a model: notes.txt", 0),
        (["a.txt", "b.txt"], "Not a model: 2 files", 0),
    ],
)
def test_what_a_drop_will_do(names: list[str], title: str, count: int) -> None:
    found = outcome_of([Path(name) for name in names], SUFFIXES)
    assert (found.title, len(found.models)) == (title, count)


@pytest.mark.parametrize(
    ("names", "title", "count"),
    [
        (["net.onnx", "labels.txt"], "Open net.onnx", 1),
        (["labels.txt"], "No model in mine", 0),
        (["a.onnx", "b.onnx"], "More than one model in mine", 0),
        (["config.json", "other.onnx"], "Open other.onnx", 1),
    ],
)
def test_a_folder_stands_for_the_one_model_in_it(
    tmp_path: Path, names: list[str], title: str, count: int
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    found = outcome_of([folder], SUFFIXES)
    assert (found.title, len(found.models)) == (title, count)
    assert all(model.parent == folder for model in found.models)


def test_a_folder_with_an_onnx_file_and_its_configuration_is_one_model(tmp_path: Path) -> None:
    for name in ("config.json", "model.onnx", "model_quantized.onnx"):
        (tmp_path / name).touch()
    found = outcome_of([tmp_path], SUFFIXES)
    assert (found.title, found.models) == (f"Open {tmp_path.name}", (tmp_path,))
    assert "Its labels and its preprocessing are taken along." in found.text


def test_a_model_of_another_framework_is_named_and_its_drop_explains(
    window: MainWindow, opened: list[Path]
) -> None:
    found = outcome_of([SOURCES / "export.pt2"], SUFFIXES)
    assert found.title == "Not ONNX yet: export.pt2"
    assert found.text == "It is a PyTorch export (.pt2). Drop it to see how it is converted."
    window._opening.open_dropped([SOURCES / "export.pt2"])
    assert opened == [SOURCES / "export.pt2"]


def test_the_toast_of_such_a_drop_has_the_way_to_onnx(window: MainWindow, qtbot: QtBot) -> None:
    window._opening.open_dropped([SOURCES / "weights.safetensors"])
    qtbot.waitUntil(lambda: "is a file of weights" in window.toasts.texts)
    (toast,) = window.toasts.shown
    assert "optimum-cli export onnx" in toast.hint.text()
    assert toast.hint.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse


def test_a_folder_that_cannot_be_listed_has_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert outcome_of([tmp_path], SUFFIXES).title == f"No model in {tmp_path.name}"


def test_the_overlay_is_there_while_a_file_is_dragged(window: MainWindow) -> None:
    assert drag(window, data_of(QUrl.fromLocalFile(str(DIGITS)).toString()))
    assert window.overlay.isVisible()
    assert window.overlay.size() == window.size()
    assert window.overlay.title.text() == "Open digits.onnx"
    QApplication.sendEvent(window, QEvent(QEvent.Type.DragLeave))
    assert window.overlay.isHidden()


@pytest.mark.parametrize(
    "url",
    [
        "file:///data/my%20model%20100%25.onnx",
        "file://localhost/data/my%20model%20100%25.onnx",
        f"file://{socket.gethostname()}/data/my%20model%20100%25.onnx",
    ],
)
def test_a_url_of_a_file_is_its_path(window: MainWindow, opened: list[Path], url: str) -> None:
    drop(window, url)
    assert opened == [Path("/data/my model 100%.onnx")]
    assert window.overlay.isHidden()


def test_only_the_models_among_dropped_files_are_opened(
    window: MainWindow, opened: list[Path]
) -> None:
    drop(window, "file:///data/a.onnx", "file:///data/labels.txt", "https://host/b.onnx")
    assert opened == [Path("/data/a.onnx")]


def test_several_dropped_models_are_named(window: MainWindow, opened: list[Path]) -> None:
    drop(window, "file:///data/a.onnx", "file:///data/b.onnx")
    assert opened == [Path("/data/a.onnx"), Path("/data/b.onnx")]
    (toast,) = window.toasts.shown
    assert toast.sentence.text().startswith("Opening a.onnx, b.onnx.")


def test_a_drop_without_a_model_is_answered_in_one_message(
    window: MainWindow, opened: list[Path]
) -> None:
    drop(window, "file:///data/labels.txt")
    assert opened == []
    (toast,) = window.toasts.shown
    assert toast.sentence.text().startswith("Not a model: labels.txt. Models end in .onnx")


def test_a_source_that_ends_before_its_files_are_read_opens_nothing(
    window: MainWindow, opened: list[Path]
) -> None:
    assert drag(window, data_of("file:///data/a.onnx"))
    nothing = QMimeData()
    QApplication.sendEvent(window, QDropEvent(_AT, COPY, nothing, _LEFT, _NO_KEY))
    assert opened == []
    assert window.overlay.isHidden()
    assert window.toasts.shown == []


def test_links_and_texts_are_not_accepted(window: MainWindow) -> None:
    text = QMimeData()
    text.setText("/data/a.onnx")
    for data in (data_of("https://host/a.onnx"), text):
        assert not drag(window, data)
        assert window.overlay.isHidden()


def test_a_source_that_would_move_the_file_keeps_it(window: MainWindow, opened: list[Path]) -> None:
    """Whoever accepts a move tells the source to delete its file."""
    data = data_of("file:///data/a.onnx")
    both = COPY | MOVE
    enter = QDragEnterEvent(_AT.toPoint(), both, data, _LEFT, Qt.KeyboardModifier.ShiftModifier)
    move = QDragMoveEvent(_AT.toPoint(), both, data, _LEFT, Qt.KeyboardModifier.ShiftModifier)
    end = QDropEvent(_AT, both, data, _LEFT, Qt.KeyboardModifier.ShiftModifier)
    for event in (enter, move, end):
        event.setDropAction(MOVE)
        QApplication.sendEvent(window, event)
        assert event.isAccepted()
        assert event.dropAction() == COPY
    assert opened == [Path("/data/a.onnx")]


def test_a_folder_named_at_the_start_opens_as_a_drop_does(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Path] = []
    monkeypatch.setattr(window._opening, "_open", lambda path, start: started.append(path))
    window._opening.open(DIGITS.parent)
    assert started == [DIGITS]
