"""The panel of a registry: its models, versions and aliases; push, pull, moving of aliases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from studio.api import Option
from studio.api.qt import Panel, PanelHost, RunningStep, StepEnd, plain_tip

_PLACE = (
    Option(
        "registry",
        default="mlflow",
        help="Name of a saved registry, a URL, or mlflow for MLFLOW_TRACKING_URI.",
    ),
)
_PUSH = (
    Option("name", title="Registered name", help="Default: name of the model."),
    Option("alias", title="Alias", help="champion, challenger ..."),
)
_MODELS = ("Model", "Latest", "Aliases")
_VERSIONS = ("Version", "Aliases", "Registered", "Release")
_HISTORY = ("When", "Version", "What", "")


class RegistryPanel(Panel):
    """Panel with the registry on top, then its models, then the chosen model's facts.

    Attributes:
        state: The outcome of the last request, in one sentence.
    """

    def __init__(self, host: PanelHost) -> None:
        super().__init__(host)
        self._running: RunningStep | None = None
        self._name = ""
        self._place = host.form(_PLACE, columns=2)
        self._form = host.form(_PUSH, columns=2)
        self.models = Table("Registered models", _MODELS)
        self.versions = Table("Versions", _VERSIONS)
        self.events = Table("History", _HISTORY)
        self.state = QLabel("Registry not loaded yet.", textFormat=Qt.TextFormat.PlainText)
        self.state.setWordWrap(True)
        self.state.setProperty("role", "dim")
        self.look_button = _button("Show the models", self.list_models, "")
        self.push_button = _button("Push the current variant", self.begin_push, "primary")
        self.pull_button = _button("Pull", self.begin_pull, "")
        self.alias_button = _button("Set alias", self.begin_move, "")
        self._place.on_submit(self.list_models)
        self.models.itemSelectionChanged.connect(self.list_versions)
        self.versions.itemSelectionChanged.connect(self.refresh)
        self._arrange()
        self.refresh()

    def refresh(self) -> None:
        """Say why what cannot be done cannot be done."""
        idle = self._running is None
        self._allow(self.look_button, idle, "")
        self._allow(self.push_button, idle and bool(self.host.model()), "Open a model first.")
        chosen = bool(self.versions.chosen())
        self._allow(self.pull_button, idle and chosen, "Select a version.")
        self._allow(
            self.alias_button, idle and chosen, "Select a version and enter the alias above."
        )

    def list_models(self) -> None:
        """Ask for the models."""
        self._name = ""
        self._run("registry-list", self._listed)

    def list_versions(self) -> None:
        """Ask for the versions and the history of the chosen model."""
        self._name = self.models.chosen()
        if self._name:
            self._run("registry-list", self._detailed, name=self._name)

    def begin_push(self) -> None:
        """Push the current variant."""
        if not self._form.check():
            return
        values = self._form.values()
        options: dict[str, object] = {"model": self.host.model()}
        if values.get("name"):
            options["name"] = values["name"]
        if values.get("alias"):
            options["alias"] = [values["alias"]]
        self._run(
            "registry-push", self._changed("Version {version} of {name} is registered."), **options
        )

    def begin_pull(self) -> None:
        """Pull the chosen version."""
        told = "Version {version} of {name} pulled as {model}:{variant_name}."
        reference = f"{self._name}/{self.versions.chosen()}"
        self._run("registry-pull", self._changed(told), name=reference)

    def begin_move(self) -> None:
        """Let the alias stand for the chosen version."""
        alias = str(self._form.values().get("alias") or "")
        if not alias:
            self._show_status("Enter an alias first: champion, challenger…", "bad")
            return
        told = "{name}@{alias} points to version {to}."
        options = {"name": self._name, "alias": alias, "version": self.versions.chosen()}
        self._run("registry-alias", self._changed(told), **options)

    def _run(self, step: str, done: Callable[[Mapping[str, Any]], None], **options: object) -> None:
        if self._running is not None or not self._place.check():
            return
        place = str(self._place.values().get("registry") or "mlflow")
        self._running = self.host.start(step, registry=place, **options)
        if self._running is None:
            return
        self._show_status("Loading…")
        self._running.finished.connect(partial(self._ended, done))
        self.refresh()

    def _ended(self, done: Callable[[Mapping[str, Any]], None], end: StepEnd) -> None:
        self._running = None
        if end.ok:
            done(end.result)
        else:
            self._show_status("The last request failed.")  # the window's message has the reason
        self.refresh()

    def _listed(self, result: Mapping[str, Any]) -> None:
        rows = [(m["name"], m["latest"], _aliases(m["aliases"])) for m in result["models"]]
        self.models.fill(rows)
        self.versions.fill([])
        self.events.fill([])
        self._show_status(f"{len(rows)} registered models in {result['registry']}.")

    def _detailed(self, result: Mapping[str, Any]) -> None:
        self.versions.fill(
            [
                (v["version"], ", ".join(v["aliases"]), _short(v["created"]), v["release"][:12])
                for v in result["versions"]
            ]
        )
        self.events.fill(
            [(_short(e["at"]), e["version"], e["what"], e["text"]) for e in result["history"]]
        )
        self._show_status(f"{result['name']} in {result['registry']}.")

    def _changed(self, told: str) -> Callable[[Mapping[str, Any]], None]:
        """Show what was done, then what the registry knows by now."""

        def done(result: Mapping[str, Any]) -> None:
            self._name = str(result["name"])
            self._run("registry-list", self._detailed, name=self._name)
            self._show_status(told.format(**result), "good")

        return done

    def _show_status(self, text: str, tone: str = "") -> None:
        self.state.setText(text)
        if tone:
            self.host.say(text, tone)

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for row in ((self.look_button,), (self.push_button, self.pull_button, self.alias_button)):
            layout.addWidget((self._place if len(row) == 1 else self._form).widget)
            line = QHBoxLayout()
            for button in row:
                line.addWidget(button)
            line.addStretch(1)
            layout.addLayout(line)
        layout.addWidget(self.state)
        for table in (self.models, self.versions, self.events):
            layout.addWidget(table, 100)
        layout.addStretch(1)  # forms stay together while there are no tables

    @staticmethod
    def _allow(button: QPushButton, allowed: bool, reason: str) -> None:
        button.setEnabled(allowed)
        button.setToolTip("" if allowed else plain_tip(reason))


class Table(QTableWidget):
    """Rows of text, of which one can be chosen."""

    def __init__(self, name: str, columns: Sequence[str]) -> None:
        super().__init__(0, len(columns))
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(columns))
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.hide()

    def fill(self, rows: Sequence[Sequence[str]]) -> None:
        """Show other rows; without any the table is hidden."""
        self.clearSelection()
        self.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                item = QTableWidgetItem(str(text))
                item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(number, column, item)
        self.setVisible(bool(rows))

    def chosen(self) -> str:
        """Return the first column of the chosen row, or ""."""
        items = self.selectedItems()
        first = self.item(items[0].row(), 0) if items else None
        return first.text() if first is not None else ""


def _button(text: str, call: Callable[[], None], kind: str) -> QPushButton:
    button = QPushButton(text)
    if kind:
        button.setProperty("kind", kind)
    button.clicked.connect(lambda: call())
    return button


def _aliases(aliases: Mapping[str, str]) -> str:
    return ", ".join(f"{alias} {version}" for alias, version in sorted(aliases.items()))


def _short(moment: str) -> str:
    return moment[:16].replace("T", " ")
