"""The offer to convert a dropped model of another framework, and what follows it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from studio.conversion.location import sentence
from studio.conversion.results import ConversionCheck, ConversionResult, FirstDifference
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.dialogs.conversion import ConversionDialog
from studio.gui.window.main_window import MainWindow
from studio.gui.window.model_converter import ModelConverter, show_warnings
from studio.jobs.sandbox import NONE
from tests.gui.conftest import visible

SOURCES = Path(__file__).parents[2] / "data" / "sources"


def dialog_of(window: MainWindow, name: str) -> ConversionDialog:
    window.open_model(SOURCES / name)
    dialog = window.findChild(ConversionDialog)
    assert dialog is not None
    return dialog


def texts(dialog: ConversionDialog) -> str:
    return "\n".join(one.text() for one in visible(dialog, QLabel))


def test_what_is_installed_first_is_said_before_it_is(window: MainWindow) -> None:
    dialog = dialog_of(window, "export.pt2")
    assert "It is a PyTorch export (.pt2)." in texts(dialog)
    assert "PyTorch is installed first" in texts(dialog)
    assert "1.1 GB" in texts(dialog)
    assert dialog.confirm.text() == "Install and convert"
    dialog.reject()
    assert window.workspace.jobs == []
    assert not window.toasts.texts


def test_a_module_without_shapes_is_asked_for_them(window: MainWindow) -> None:
    dialog = dialog_of(window, "script.pt")
    assert "Enter them, such as 1,3,224,224." in texts(dialog)
    assert dialog.form.fields["input"].isVisible()
    dialog.reject()


@pytest.mark.parametrize("name", ["export.pt2", "script.pt", "lightgbm.txt", "estimator.pkl"])
def test_its_texts_have_room(window: MainWindow, name: str) -> None:
    dialog = dialog_of(window, name)
    for unfolded in (False, True):
        if unfolded and dialog.form._more is not None:
            dialog.form._more.unfold()
            dialog.layout().activate()
        for one in visible(dialog, QLabel):
            assert one.height() >= one.heightForWidth(one.width()), one.text()
    dialog.reject()


def test_what_has_no_converter_is_explained_as_before(window: MainWindow, qtbot: QtBot) -> None:
    window.open_model(SOURCES / "weights.safetensors")
    assert window.findChild(ConversionDialog) is None
    qtbot.waitUntil(lambda: "is a file of weights" in window.toasts.texts, timeout=20_000)


def test_code_of_a_model_is_run_only_when_it_is_ticked(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(ModelConverter, "_begin", lambda _, *what: begun.append(what[1]))
    dialog = dialog_of(window, "estimator.pkl")
    assert "It is a Python pickle, which runs code as it is read." in texts(dialog)
    assert "Convert only files that you trust." in texts(dialog)
    assert list(dialog.form.fields) == ["run_code"]
    box = dialog.form.fields["run_code"].editor.box
    assert box.text() == "Run the code in this file, in a sandbox"
    assert not box.isChecked()
    assert not dialog.confirm.isEnabled()
    box.click()
    assert dialog.confirm.isEnabled()
    box.click()
    assert not dialog.confirm.isEnabled()
    box.click()
    dialog.confirm.click()
    assert begun == [{"run_code": True}]


def test_without_a_sandbox_it_cannot_be_ticked(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(window.workspace), "sandbox", NONE)
    dialog = dialog_of(window, "estimator.pkl")
    assert "This computer has no sandbox for that code, so the file is not read." in texts(dialog)
    dialog.form.fields["run_code"].editor.box.click()
    assert not dialog.confirm.isEnabled()
    dialog.reject()


class Recorder:
    """A window that notes what is started and shown."""

    def __init__(self) -> None:
        self.started: list[tuple[str, dict[str, Any]]] = []
        self.shown: list[tuple[str, str]] = []

    def start(self, step: str, **options: Any) -> Any:
        self.started.append((step, options))
        return SimpleNamespace(id=f"{step}-{len(self.started)}")

    def notify(self, text: str, tone: str = "", action: object = None) -> None:
        self.shown.append((text, tone))


def conversion(is_ready: bool) -> Any:
    plugin = SimpleNamespace(id="studio_pytorch")
    return SimpleNamespace(path=Path("/m/a.pt2"), plugin=plugin, is_ready=is_ready)


def ended(ok: bool, result: Any = None) -> Any:
    return SimpleNamespace(ok=ok, result=result)


def check(error: float) -> Any:
    return SimpleNamespace(
        against="PyTorch 2.13.0", max_error=error, equal=error < 1e-3, first=None
    )


def test_the_conversion_follows_its_installation() -> None:
    window, done = Recorder(), []
    converter = ModelConverter(window, lambda path, variant: done.append((path, variant)))
    converter._begin(conversion(is_ready=False), {"input": ["1,4"]})
    assert window.started == [("environment-install", {"name": "studio_pytorch"})]
    assert converter.pending
    converter.on_finished(SimpleNamespace(id="environment-install-1"), ended(ok=True))
    assert window.started[1] == ("convert", {"source": "/m/a.pt2", "input": ["1,4"]})
    result = SimpleNamespace(variant=7, checks=(check(2e-7),), warnings=())
    converter.on_finished(SimpleNamespace(id="convert-2"), ended(True, result))
    assert done == [(Path("/m/a.pt2"), 7)]
    assert not converter.pending
    text = "a.pt2 is converted. It gives the numbers of PyTorch 2.13.0, up to 2e-07."
    assert window.shown == [(text, "good")]


@pytest.mark.parametrize("is_ready", [True, False])
def test_what_fails_leads_to_nothing(is_ready: bool) -> None:
    window, done = Recorder(), []
    converter = ModelConverter(window, lambda *what: done.append(what))
    converter._begin(conversion(is_ready), {})
    converter.on_finished(SimpleNamespace(id=f"{window.started[0][0]}-1"), ended(ok=False))
    assert (len(window.started), done, converter.pending) == (1, [], False)


def test_a_difference_is_shown_as_a_warning() -> None:
    window = Recorder()
    converter = ModelConverter(window, lambda *_: None)
    converter._begin(conversion(is_ready=True), {})
    warning = "The output 'y' differs."
    result = SimpleNamespace(variant=7, checks=(check(0.5),), warnings=(warning,))
    converter.on_finished(SimpleNamespace(id="convert-1"), ended(True, result))
    assert window.shown == [(warning, "warning")]


def test_a_difference_leads_to_its_node(digits_window: MainWindow, qtbot: QtBot) -> None:
    window = digits_window
    variant = window.current.variant
    assert variant is not None
    window.go("model")
    page = window.page()
    assert isinstance(page, ModelPage)
    qtbot.waitUntil(lambda: page.pane.canvas.scene is not None, timeout=20_000)
    nodes = page.pane.canvas.scene.graph.nodes
    wanted = nodes[len(nodes) // 2]
    first = FirstDifference(wanted.outputs[0], wanted.operator, 0.1, "net.py:4", wanted.name)
    found = ConversionCheck("PyTorch", 1, 0.2, first=first)
    warning = f"The output 'y' differs. {sentence(found)}"
    window.go("profile")
    result = ConversionResult(source="m", format="f", checks=(found,), warnings=(warning,))
    show_warnings(window, result, variant.id)
    (toast,) = window.toasts.shown
    assert toast.act.text() == "Show in the graph"
    qtbot.waitUntil(toast.act.isEnabled)
    qtbot.mouseClick(toast.act, Qt.MouseButton.LeftButton)

    def selected() -> bool:
        canvas = page.pane.canvas
        box = canvas.selected
        return box is not None and canvas.scene.boxes[box].name == wanted.name

    qtbot.waitUntil(selected, timeout=20_000)
    assert window.page() is page
