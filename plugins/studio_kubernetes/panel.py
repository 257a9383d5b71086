"""The panel of clusters: a target from a context, the form of a deploy, manifests, status."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from studio.api import Kind, Option, StudioError, TargetSpec
from studio.api.qt import Panel, PanelHost, RunningStep, StepEnd, plain_tip
from studio_kubernetes.manifests.names import suggest
from studio_kubernetes.options import DEPLOY_OPTIONS

_TARGET = Option("target", Kind.TARGET, title="Target", required=True)
_CANARY = Option(
    "canary",
    Kind.INTEGER,
    0,
    title="Canary",
    help="Share of the traffic for the new release, in percent.",
    zero="all at once",
    unit="%",
    minimum=0,
    maximum=99,
)


class ClusterPanel(Panel):
    """Shows the user's clusters and serves the current model in one of them."""

    found = Signal(list, str)
    """Names of contexts, and why there are none."""

    def __init__(self, host: PanelHost) -> None:
        super().__init__(host)
        self._running: RunningStep | None = None
        self.context = QComboBox()
        self.namespace = QLineEdit(placeholderText="from the context")
        self.name = QLineEdit(placeholderText="digits")
        self.add = QPushButton("Add target")
        self.form = host.form((_TARGET, _CANARY, *DEPLOY_OPTIONS), columns=3)
        self.status = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.documents = QTabWidget()
        self.documents.setAccessibleName("Manifests and planned changes")
        self.documents.hide()
        self.verbs = {
            "preview": QPushButton("Show changes"),
            "deploy": QPushButton("Deploy"),
            "promote": QPushButton("Promote the canary"),
            "rollback": QPushButton("Roll back"),
            "cancel": QPushButton("Cancel"),
        }
        self.lacking = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._lay_out()
        self._connect()
        self._start_reading_contexts()

    def refresh(self) -> None:
        self.form.refresh()
        targets = self.host.targets()
        lacking = "" if targets else "Add a target first: a context, a namespace and a name."
        if not lacking and not self.host.model():
            lacking = "Open a model first."
        for name in ("preview", "deploy"):
            self.verbs[name].setEnabled(not lacking and self._running is None)
            self.verbs[name].setToolTip(plain_tip(lacking))
        self.lacking.setText(lacking)
        self.lacking.setVisible(bool(lacking))
        for name in ("promote", "rollback"):
            self.verbs[name].setEnabled(bool(targets) and self._running is None)
        self.verbs["cancel"].setEnabled(self._running is not None)

    def show_contexts(self, names: Sequence[str], reason: str) -> None:
        """Offer contexts, the current one first, or say why there are none."""
        self.context.clear()
        self.context.addItems(list(names))
        self.context.setEnabled(bool(names))
        self.add.setEnabled(bool(names))
        if reason:
            self._show_status(reason, "warning")

    def _lay_out(self) -> None:
        self.context.setAccessibleName("Context")
        self.namespace.setAccessibleName("Namespace")
        self.name.setAccessibleName("Name in the cluster")
        self.add.setEnabled(False)
        self.lacking.setProperty("role", "dim")
        place = QHBoxLayout()
        for title, field in (
            ("Context", self.context),
            ("Namespace", self.namespace),
            ("Name", self.name),
        ):
            place.addWidget(QLabel(title, textFormat=Qt.TextFormat.PlainText))
            place.addWidget(field, 1)
        place.addWidget(self.add)
        buttons = QHBoxLayout()
        for button in self.verbs.values():
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.verbs["deploy"].setProperty("kind", "primary")
        layout = QVBoxLayout(self)
        layout.addWidget(_heading("Target in a cluster"))
        layout.addLayout(place)
        layout.addSpacing(12)
        layout.addWidget(_heading("Deployment"))
        layout.addWidget(self.lacking)
        layout.addWidget(self.form.widget)
        layout.addSpacing(8)
        layout.addLayout(buttons)
        layout.addWidget(self.status)
        layout.addWidget(self.documents, 1)

    def _connect(self) -> None:
        self.found.connect(self.show_contexts)
        self.add.clicked.connect(self._add)
        self.verbs["preview"].clicked.connect(lambda: self._deploy(dry_run=True))
        self.verbs["deploy"].clicked.connect(lambda: self._deploy())
        self.verbs["promote"].clicked.connect(lambda: self._start("promote"))
        self.verbs["rollback"].clicked.connect(lambda: self._start("rollback"))
        self.verbs["cancel"].clicked.connect(self._cancel)
        self.form.on_submit(lambda: self._deploy(dry_run=True))

    def _start_reading_contexts(self) -> None:
        """Start a thread, because the client's library takes a second to load."""
        threading.Thread(target=self._read_contexts, name="contexts", daemon=True).start()

    def _read_contexts(self) -> None:
        names: list[str] = []
        reason = ""
        try:
            from studio_kubernetes.platform import contexts

            known, current = contexts()
            names = [str(one["name"]) for one in known]
            names.sort(key=lambda name: name != (current or {}).get("name"))
        except StudioError as error:
            reason = f"{error.message} {error.hint}".strip()
        try:
            self.found.emit(names, reason)
        except RuntimeError:
            return  # the panel was closed in the meantime

    def _add(self) -> None:
        name = self.name.text().strip() or "model"
        context, namespace = self.context.currentText(), self.namespace.text().strip()
        url = f"kubernetes://{quote(context, safe='')}/{namespace}/{name}"
        try:
            from studio_kubernetes.cluster.address import parse_address

            parse_address(url)
        except StudioError as error:
            self.host.fail(error)
            return
        if self.host.add_target(TargetSpec(suggest(f"{context}-{name}"), url)):
            self._show_status(f"Target {url} added.", "good")
            self.refresh()

    def _deploy(self, dry_run: bool = False) -> None:
        if not self.form.check():
            return
        values = self.form.values()
        # What was not touched is left to the settings of the target.
        pairs = [
            f"{option.name}={_text(values[option.name])}"
            for option in DEPLOY_OPTIONS
            if values.get(option.name) not in (None, option.default)
        ]
        more = {"model": self.host.model(), "dry_run": dry_run, "set": pairs}
        if values.get("canary"):
            more["canary"] = values["canary"]
        self._start("deploy", **more)

    def _start(self, step: str, **options: object) -> None:
        if not self.form.check():
            return
        target = self.form.values()["target"]
        running = self.host.start(step, target=target, **options)
        if running is None:
            return
        self._running = running
        running.progressed.connect(self._progress)
        running.finished.connect(self._finish)
        self._show_status(f"{step} ...")
        self.refresh()

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def _progress(self, done: float, total: float, text: str) -> None:
        if text:
            self._show_status(text)

    def _finish(self, end: StepEnd) -> None:
        self._running = None
        self._show_status(f"{end.sentence} {end.hint}".strip(), "good" if end.ok else "bad")
        if end.ok and end.result.get("state") == "planned":
            self._show(end.result.get("documents") or {})
            self._show_status(_plan(end.result), "good" if end.result.get("possible") else "bad")
        self.refresh()

    def _show(self, documents: Mapping[str, str]) -> None:
        """Show the difference first, then each manifest."""
        self.documents.clear()
        for name in sorted(documents, key=lambda name: (not name.endswith(".diff"), name)):
            text = QPlainTextEdit(documents[name] or "No changes.")
            text.setReadOnly(True)
            text.setProperty("role", "mono")
            text.setMinimumHeight(240)
            self.documents.addTab(text, name)
        self.documents.setVisible(bool(documents))

    def _show_status(self, text: str, tone: str = "") -> None:
        self.status.setText(text)
        token = f"{tone}_text" if tone else "text"
        self.status.setStyleSheet(f"color: {self.host.color(token).name()}")


def _plan(result: Mapping[str, Any]) -> str:
    blocked = [row for row in result["steps"] if row["state"] == "blocked"]
    if blocked:
        return str(blocked[0]["text"])
    planned = sum(row["state"] == "planned" for row in result["steps"])
    objects = "1 object" if planned == 1 else f"{planned} objects"
    return f"{objects} would change." if planned else "No changes."


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _heading(text: str) -> QWidget:
    label = QLabel(text, textFormat=Qt.TextFormat.PlainText)
    label.setProperty("role", "section")
    return label
