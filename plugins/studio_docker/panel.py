"""Panel of containers: the engine, the image's size, and the next commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.api import Kind, Option, TargetSpec, UsageError
from studio.api.qt import OptionForm, Panel, PanelHost, RunningStep, StepEnd
from studio_docker.packager import ImagePackager, checked_name
from studio_docker.platform import DockerPlatform

_MB = 1_000_000
_ENGINE = (
    Option("name", default="containers", required=True, help="Display name of the target."),
    *(option for option in DockerPlatform.options if option.name == "engine"),
)
_IMAGE = (
    *(option for option in ImagePackager.options if option.name != "file"),
    Option(
        "image_out",
        Kind.OUTPUT,
        title="Folder for files",
        help="Folder for the image file. Required without a container engine.",
    ),
)
_NO_MODEL = "Open a model first."
_NO_ENGINE = (
    "Without an engine, the image can be written to a file: choose a folder for files and a base "
    "image file. Load the file with: docker load --input image.tar"
)


class ImagePanel(Panel):
    """Engines on top, the image below."""

    def __init__(self, host: PanelHost) -> None:
        super().__init__(host)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(20)
        self.engines = EngineBox(host)
        self.image = ImageBox(host)
        layout.addWidget(self.engines)
        layout.addWidget(self.image)
        layout.addStretch(1)

    def refresh(self) -> None:
        self.engines.refresh()
        self.image.refresh()


class EngineBox(QWidget):
    """Status of the engine; if it is missing, why and what to do."""

    def __init__(self, host: PanelHost) -> None:
        super().__init__()
        self._host = host
        self._running: RunningStep | None = None
        self._looked: set[str] = set()
        self.state = _label("Container engine not checked yet.", "dim")
        self._form = host.form(_ENGINE, columns=2)
        self._button = QPushButton("Find engine")
        self._button.clicked.connect(self.add_engine)
        self._form.on_submit(self.add_engine)
        layout = _column(self, "Container engine")
        for widget in (self.state, self._form.widget):
            layout.addWidget(widget)
        layout.addLayout(_row(self._button))

    def refresh(self) -> None:
        """Show what is known of the engines among the targets; ask once for each that is new."""
        targets = self._host.targets()
        lines = [_described(target.name, self._host.facts(target.name)) for target in targets]
        known = [line for line in lines if line]
        if known:
            self._show("\n".join(known))
        for target in targets:
            if not self._host.facts(target.name) and target.name not in self._looked:
                self._looked.add(target.name)
                self._probe(target.name)
                return

    def add_engine(self) -> None:
        """Add the engine that the form names as a target, and ask it."""
        if not self._form.check():
            return
        values = self._form.values()
        name = str(values.pop("name", "") or "containers")
        settings = {key: str(value) for key, value in values.items() if value}
        if self._host.add_target(TargetSpec(name, f"docker:{name}", settings=settings)):
            self._probe(name)

    def _probe(self, name: str) -> None:
        self._running = self._host.start("target-probe", target=name)
        if self._running is not None:
            self._show("Searching…")
            self._running.finished.connect(lambda end: self._answered(name, end))

    def _answered(self, name: str, end: StepEnd) -> None:
        if end.ok:
            self._show(_described(name, end.result))
        else:
            self._show(" ".join(filter(None, (end.sentence, end.hint, _NO_ENGINE))))

    def _show(self, text: str) -> None:
        self.state.setText(text)


class ImageBox(QWidget):
    """The image of the current model: its options, its progress, its size."""

    def __init__(self, host: PanelHost) -> None:
        super().__init__()
        self._host = host
        self._running: RunningStep | None = None
        self._budget = 0
        self._last = ""
        self._form: OptionForm = host.form(_IMAGE, columns=2)
        self.build = QPushButton("Build the image")
        self.build.setProperty("kind", "primary")
        self.build.clicked.connect(self._begin)
        self._form.on_submit(self._begin)
        self._cancel = QPushButton("Cancel")
        self._cancel.clicked.connect(self._stop)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(500)
        self.log.setAccessibleName("Build log")
        self.gauge = QProgressBar()
        self.gauge.setAccessibleName("Size of the image")
        self.outcome = _label("", "")
        layout = _column(self, "Image of the current model")
        layout.addWidget(self._form.widget)
        layout.addLayout(_row(self.build, self._cancel))
        for widget in (self.log, self.gauge, self.outcome):
            layout.addWidget(widget)
        self._set_running(False)
        self.gauge.hide()
        self.log.hide()

    def refresh(self) -> None:
        """Say why nothing can be built without a model."""
        model = self._host.model()
        self.build.setEnabled(bool(model) and self._running is None)
        if not model:
            self.outcome.setText(_NO_MODEL)
        elif self.outcome.text() == _NO_MODEL:
            self.outcome.clear()

    def _begin(self) -> None:
        if self._running is not None or not self._host.model() or not self._form.check():
            return
        try:
            options = self._options(self._form.values())
        except UsageError as error:
            self._host.fail(error)
            return
        self._running = self._host.start("image", **options)
        if self._running is None:
            return
        self.log.clear()
        self.log.show()
        self.outcome.clear()
        self._running.progressed.connect(self._progressed)
        self._running.finished.connect(self._finished)
        self._set_running(True)

    def _options(self, values: Mapping[str, Any]) -> dict[str, object]:
        """Return the step's options from the form.

        Raises:
            UsageError: for a name that no image can have.
        """
        own = ("tag", "image_out")
        self._budget = int(values.get("size_budget_mb") or 0)
        chosen: dict[str, object] = {
            "model": self._host.model(),
            "image": checked_name(str(values.get("tag") or "")),
            "set": [
                f"{name}={value}" for name, value in values.items() if name not in own and value
            ],
        }
        if values.get("image_out"):
            chosen["image_out"] = values["image_out"]
        return chosen

    def _stop(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def _progressed(self, done: float, total: float, text: str) -> None:
        if text and text != self._last:
            self.log.appendPlainText(text)
        self._last = text

    def _finished(self, end: StepEnd) -> None:
        self._running = None
        self._set_running(False)
        self.log.appendPlainText(end.sentence)
        if not end.ok:
            self.outcome.setText(" ".join(filter(None, (end.sentence, end.hint))))
            return
        self.outcome.setText("\n".join(outcome_lines(end.result)))
        self._show_size(int(end.result["image_bytes"]))

    def _show_size(self, size: int) -> None:
        """Show the size against the budget, if a budget is set."""
        megabytes = round(size / _MB)
        self.gauge.setVisible(bool(self._budget))
        self.gauge.setMaximum(max(self._budget, megabytes, 1))
        self.gauge.setValue(megabytes)
        self.gauge.setFormat(f"{megabytes} of {self._budget} MB")

    def _set_running(self, running: bool) -> None:
        self.build.setEnabled(not running and bool(self._host.model()))
        self._cancel.setVisible(running)


def outcome_lines(result: Mapping[str, Any]) -> list[str]:
    """Return lines about the image, its contents, and the next commands."""
    parts = ", ".join(f"{name} {size / _MB:.1f} MB" for name, size in result["parts"].items())
    lines = [f"{result['image']}: {result['image_bytes'] / _MB:.1f} MB ({parts})"]
    if result.get("pushed"):
        lines.append(f"Pushed as {result['pushed']}")
    lines += [str(result[name]) for name in ("path", "context", "sbom") if result.get(name)]
    if result.get("next"):
        lines.append(str(result["next"]))
    elif not result.get("pushed"):
        lines.append(f"Run it with: docker run --publish 127.0.0.1:8477:8477 {result['image']}")
    return lines


def _described(name: str, facts: Mapping[str, Any]) -> str:
    """Return one engine in one line, or "" if nothing is known."""
    if not facts.get("where"):
        return ""
    memory = f", {facts['memory_mb']} MB" if facts.get("memory_mb") else ""
    return f"{name}: {facts['where']}, {facts.get('arch') or 'unknown processor'}{memory}"


def _column(widget: QWidget, title: str) -> QVBoxLayout:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(_label(title, "section"))
    return layout


def _row(*widgets: QWidget) -> QHBoxLayout:
    """Return a row of widgets at the left, each as wide as it needs."""
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row


def _label(text: str, role: str) -> QLabel:
    label = QLabel(text, textFormat=Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    if role:
        label.setProperty("role", role)
    return label
