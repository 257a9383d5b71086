"""The choice of another format for the current model, and what follows it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel

from studio.gui.forms.editors import ChoiceEditor
from studio.gui.window.dialogs.export import ExportDialog
from studio.gui.window.main_window import MainWindow
from studio.gui.window.model_exporter import ModelExporter
from studio.workspace import Export
from tests.gui.conftest import visible
from tests.gui.window.test_model_converter import Recorder, check, ended


def texts(dialog: ExportDialog) -> str:
    return "\n".join(str(one.property("text")) for one in visible(dialog, QLabel))


def dialog_of(window: MainWindow) -> ExportDialog:
    window.exporter.offer()
    dialog = window.findChild(ExportDialog)
    assert dialog is not None
    return dialog


def action_of(window: MainWindow) -> Any:
    entries = [entry for source in window.commands.sources() for entry in source()]
    return next(one for one in entries if one.title.startswith("Convert the model to another"))


def test_without_a_model_there_is_nothing_to_convert(window: MainWindow) -> None:
    assert action_of(window).reason == "No model is open."
    window.exporter.offer()
    assert window.findChild(ExportDialog) is None


def test_what_each_format_needs_is_said_before_it_is_installed(digits_window: MainWindow) -> None:
    dialog = dialog_of(digits_window)
    assert not action_of(digits_window).reason
    to = dialog.form.fields["to"].editor
    to.set_value("openvino")
    assert "Installed first: OpenVINO, about 260 MB." in texts(dialog)
    to.set_value("executorch")
    assert "PyTorch and ExecuTorch convert it on this computer" in texts(dialog)
    assert "Installed first: PyTorch and ExecuTorch" in texts(dialog)
    assert dialog.confirm.text() == "Install and convert"
    dialog.reject()
    assert not [job for job in digits_window.workspace.jobs if job.running]


def test_only_the_precisions_of_the_format_are_offered(digits_window: MainWindow) -> None:
    dialog = dialog_of(digits_window)
    to, precision = (dialog.form.fields[name].editor for name in ("to", "precision"))
    assert isinstance(precision, ChoiceEditor)

    def offered(target: str) -> list[Any]:
        to.set_value(target)
        return [precision.combo.itemData(index) for index in range(precision.combo.count())]

    assert offered("coreml") == ["fp16", "fp32", "int8"]
    assert precision.value() == "fp16"
    assert offered("openvino") == ["fp32", "fp16"]
    assert precision.value() == "fp32"
    assert offered("executorch") == ["fp32"]
    dialog.reject()


@pytest.mark.parametrize("target", ["tflite", "openvino"])
def test_its_texts_have_room(digits_window: MainWindow, target: str) -> None:
    dialog = dialog_of(digits_window)
    dialog.form.fields["to"].editor.set_value(target)
    dialog.adjustSize()
    for one in visible(dialog, QLabel):
        assert one.height() >= one.heightForWidth(one.width()), one
    dialog.reject()


def export(*missing: str) -> Export:
    pairs: Any = tuple((SimpleNamespace(id=name), SimpleNamespace()) for name in missing)
    return Export("tflite", "TFLite", ("fp32",), ("PyTorch", "LiteRT Torch"), pairs)


class Window(Recorder):
    """A recorder whose messages may have a button."""

    def notify(self, text: str, tone: str = "", action: Any = None) -> None:
        self.shown.append((text, tone))
        self.action = action

    def select(self, variant: int) -> None:
        self.started.append(("select", {"variant": variant}))


def result(variant: int = 7, **more: Any) -> Any:
    given = {"model": "digits", "output": "/o/digits.tflite", "checks": (), "warnings": ()}
    return SimpleNamespace(variant=variant, **{**given, **more})


def test_environments_are_installed_one_after_the_other() -> None:
    window = Window()
    exporter = ModelExporter(window)  # type: ignore[arg-type]
    exporter._begin(3, export("studio_pytorch", "studio_litert_torch"), {"precision": "fp32"})
    for number, name in enumerate(("studio_pytorch", "studio_litert_torch")):
        assert window.started[-1] == ("environment-install", {"name": name})
        job: Any = SimpleNamespace(id=f"environment-install-{number + 1}")
        exporter.on_finished(job, ended(ok=True))
    assert window.started[2] == ("export", {"model": "#3", "to": "tflite", "precision": "fp32"})
    done: Any = SimpleNamespace(id="export-3")
    exporter.on_finished(done, ended(True, result(checks=(check(2e-7),))))
    text = "digits is written as TFLite. Next to PyTorch 2.13.0 it differs by 2e-07 at most."
    assert window.shown == [(text, "good")]
    window.action.run()
    assert window.started[-1] == ("select", {"variant": 7})


def test_a_failed_installation_leads_to_nothing() -> None:
    window = Window()
    exporter = ModelExporter(window)  # type: ignore[arg-type]
    exporter._begin(3, export("studio_pytorch"), {})
    job: Any = SimpleNamespace(id="environment-install-1")
    exporter.on_finished(job, ended(ok=False))
    assert len(window.started) == 1


def test_a_format_that_the_window_does_not_open_is_named_with_its_place() -> None:
    window = Window()
    exporter = ModelExporter(window)  # type: ignore[arg-type]
    exporter._begin(3, export(), {"out": str(Path("/o/m.tflite"))})
    job: Any = SimpleNamespace(id="export-1")
    exporter.on_finished(job, ended(True, result(0, warnings=("Look twice.",))))
    assert window.shown[0] == ("Look twice.", "warning")
    assert window.shown[1][0] == "digits is written as TFLite. It is in /o/digits.tflite."
