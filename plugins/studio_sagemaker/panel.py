"""The panel of SageMaker: who and where, what a deploy makes and costs, and what is running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.api import Kind, Option, StudioError, TargetSpec
from studio.api.qt import Panel, PanelHost, RunningStep, StepEnd
from studio_sagemaker.address import parse_address
from studio_sagemaker.names import suggest
from studio_sagemaker.options import DEPLOY_OPTIONS

_CHOSEN = (
    Option("target", Kind.TARGET, title="Target", required=True),
    Option(
        "canary",
        Kind.INTEGER,
        0,
        title="Canary",
        help="Percent of the requests for the new release.",
        zero="all at once",
        unit="%",
        minimum=0,
        maximum=99,
    ),
)
_VERBS = {
    "target-probe": "Who and where",
    "preview": "What it makes and costs",
    "deploy": "Deploy",
    "promote": "Promote the canary",
    "rollback": "Roll back",
    "resources": "What is running",
    "cancel": "Cancel",
}
_NEEDS_MODEL = ("preview", "deploy")


class EndpointPanel(Panel):
    """One endpoint of the user's, chosen in the form."""

    def __init__(self, host: PanelHost) -> None:
        super().__init__(host)
        self._running: RunningStep | None = None
        self._step = ""
        self.region = QLineEdit(placeholderText="eu-central-1")
        self.endpoint = QLineEdit(placeholderText="digits")
        self.profile = QLineEdit(placeholderText="the default chain of the SDK")
        self.add = QPushButton("Add the target")
        self.form = host.form((*_CHOSEN, *DEPLOY_OPTIONS))
        self.verbs = {name: QPushButton(title) for name, title in _VERBS.items()}
        self.status = QLabel(wordWrap=True)
        self.rows = QPlainTextEdit(readOnly=True)
        self._lay_out()
        self._connect()
        self.refresh()

    def refresh(self) -> None:
        self.form.refresh()
        idle, targets = self._running is None, bool(self.host.targets())
        for name, button in self.verbs.items():
            ready = targets and idle and (name not in _NEEDS_MODEL or bool(self.host.model()))
            button.setEnabled(ready)
        self.verbs["cancel"].setEnabled(not idle)

    def _lay_out(self) -> None:
        place = QFormLayout()
        for title, field in (
            ("Region", self.region),
            ("Endpoint", self.endpoint),
            ("Profile", self.profile),
        ):
            field.setAccessibleName(title)
            place.addRow(title, field)
        buttons = QHBoxLayout()
        for button in self.verbs.values():
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.verbs["deploy"].setProperty("kind", "primary")
        self.rows.setAccessibleName("What would be made, or what there is")
        self.rows.setProperty("role", "mono")
        self.rows.hide()
        layout = QVBoxLayout(self)
        layout.addWidget(_heading("A SageMaker endpoint"))
        layout.addLayout(place)
        layout.addWidget(self.add)
        layout.addWidget(_heading("Serve the current model there"))
        layout.addWidget(self.form.widget)
        layout.addLayout(buttons)
        layout.addWidget(self.status)
        layout.addWidget(self.rows, 1)

    def _connect(self) -> None:
        self.add.clicked.connect(self._add)
        for name, button in self.verbs.items():
            if name != "cancel":
                button.clicked.connect(lambda _=False, name=name: self._ask(name))
        self.verbs["cancel"].clicked.connect(self._cancel)

    def _add(self) -> None:
        region, endpoint = self.region.text().strip(), self.endpoint.text().strip()
        url = f"sagemaker://{region}/{endpoint}"
        profile = self.profile.text().strip()
        try:
            parse_address(url)
        except StudioError as error:
            self.host.fail(error)
            return
        settings = {"profile": profile} if profile else {}
        if self.host.add_target(TargetSpec(suggest(f"{region}-{endpoint}"), url, "", settings)):
            self._say(f"{url} is a target now.", "good")
            self.refresh()

    def _ask(self, verb: str) -> None:
        if not self.form.check():
            return
        values = self.form.values()
        more: dict[str, object] = {}
        if verb in _NEEDS_MODEL:
            chosen = {k: v for k, v in values.items() if k not in ("target", "canary")}
            pairs = [f"{key}={value}" for key, value in chosen.items()]
            more = {"model": self.host.model(), "dry_run": verb == "preview", "set": pairs}
            if values.get("canary"):
                more["canary"] = values["canary"]
        step = "deploy" if verb == "preview" else verb
        running = self.host.start(step, target=values["target"], **more)
        if running is None:
            return
        self._running, self._step = running, verb
        running.progressed.connect(self._progress)
        running.finished.connect(self._finish)
        self._say(f"{_VERBS[verb]} ...")
        self.refresh()

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def _progress(self, done: float, total: float, text: str) -> None:
        if text:
            self._say(text)

    def _finish(self, end: StepEnd) -> None:
        self._running = None
        self._say(f"{end.sentence} {end.hint}".strip(), "good" if end.ok else "bad")
        if end.ok and self._step == "target-probe":
            self._say(f"{end.result['who']}, {end.result['where']}", "good")
        elif end.ok and self._step == "preview":
            self._show([f"{row['state']:8} {row['text']}" for row in end.result["steps"]])
            self._say(price(end.result), "good" if end.result.get("possible") else "bad")
        elif end.ok and self._step == "resources":
            found = end.result["resources"]
            self._show([resource_line(one) for one in found])
            running = sum(bool(one["running"]) for one in found)
            self._say(f"{running} running." if running else "Nothing is left running.")
        self.refresh()

    def _show(self, lines: Sequence[str]) -> None:
        self.rows.setPlainText("\n".join(lines))
        self.rows.setVisible(bool(lines))

    def _say(self, text: str, tone: str = "") -> None:
        self.status.setText(text)
        token = f"{tone}_text" if tone else "text"
        self.status.setStyleSheet(f"color: {self.host.color(token).name()}")


def price(result: Mapping[str, Any]) -> str:
    """What an hour costs, or why it is not known; what stands in the way comes first."""
    blocked = [row["text"] for row in result["steps"] if row["state"] == "blocked"]
    cost = result.get("cost_per_hour")
    note = str(result.get("cost_note") or "")
    text = f"{cost:g} {result.get('currency')} an hour: {note}" if cost is not None else note
    return f"{blocked[0]} {text}" if blocked else text


def resource_line(one: Mapping[str, Any]) -> str:
    """One resource, with its price where that is known."""
    cost = one.get("cost_per_hour")
    text = f"{'running' if one['running'] else 'at rest':8} {one['kind']} {one['name']}"
    return f"{text}, {cost:g} USD an hour" if one["running"] and cost else text


def _heading(text: str) -> QWidget:
    label = QLabel(text)
    label.setProperty("role", "section")
    return label
