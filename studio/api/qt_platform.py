"""The panel of a platform: its targets, what a deploy would make and cost, what is there.

A plugin says how its places are named, and has the rest from here; needs Qt, like
``studio.api.qt``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from studio.api.errors import StudioError
from studio.api.options import Kind, Option
from studio.api.platform_words import Told, tell
from studio.api.qt import Panel, PanelHost, RunningStep, StepEnd
from studio.api.sheets import touched as touched  # plugins import it from here
from studio.api.targets import TargetSpec

_CHOSEN = (
    Option("target", Kind.TARGET, title="Target", required=True),
    Option(
        "canary",
        Kind.INTEGER,
        0,
        title="Canary",
        help="Share of the traffic for the new release.",
        zero="all at once",
        unit="%",
        minimum=0,
        maximum=99,
    ),
)
_CHANGES = {
    "preview": "Plan and costs",
    "deploy": "Deploy",
    "promote": "Promote the canary",
    "rollback": "Roll back",
    "cancel": "Cancel",
}
_LOOKS = {"target-probe": "Account", "resources": "Inspect", "logs": "Log"}
_NEED_MODEL = ("preview", "deploy")
_NO_MODEL = "Open a model to deploy it."


class PlatformPanel(Panel):
    """One target of a platform, chosen in the form.

    Attributes:
        heading: What one place is (``An endpoint of Vertex AI``).
        place_options: What the address and the settings of a new target are made from.
        deploy_options: The platform's.
        no_target: Said as long as there is none: what to give, whence the login comes.
        columns: Of the form for a new target.
    """

    heading: ClassVar[str]
    place_options: ClassVar[Sequence[Option]]
    deploy_options: ClassVar[Sequence[Option]]
    no_target: ClassVar[str]
    columns: ClassVar[int] = 3

    @abstractmethod
    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        """The target that the form for a new one means.

        Raises:
            StudioError: when it is no possible place, in a sentence.
        """

    def __init__(self, host: PanelHost) -> None:
        super().__init__(host)
        self._running: RunningStep | None = None
        self._verb = self._tone = ""
        self.place = host.form(self.place_options, columns=self.columns)
        self.add = QPushButton("Add target")
        # What a target was given already is not asked for again.
        given = {option.name for option in self.place_options}
        asked = [option for option in self.deploy_options if option.name not in given]
        self.form = host.form((*_CHOSEN, *asked), columns=3)
        self.verbs = {name: QPushButton(text) for name, text in {**_CHANGES, **_LOOKS}.items()}
        self.lacking = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.status = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.rows = QPlainTextEdit(readOnly=True)
        self._lay_out()
        self._connect()
        self.refresh()

    def refresh(self) -> None:
        self.form.refresh()
        idle, targets, model = self._running is None, self.host.targets(), self.host.model()
        for name, button in self.verbs.items():
            fits = bool(targets) and (bool(model) or name not in _NEED_MODEL)
            button.setEnabled(not idle if name == "cancel" else idle and fits)
        lacking = self.no_target if not targets else "" if model else _NO_MODEL
        self.lacking.setText(lacking)
        self.lacking.setVisible(bool(lacking))

    def redress(self) -> None:
        self._say(self.status.text(), self._tone)

    def _lay_out(self) -> None:
        self.verbs["deploy"].setProperty("kind", "primary")
        self.lacking.setProperty("role", "dim")
        self.rows.setAccessibleName("Objects, resources or lines of the log")
        self.rows.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.rows.setMinimumHeight(160)
        self.rows.hide()
        layout = QVBoxLayout(self)
        layout.addWidget(_heading(self.heading))
        layout.addWidget(self.place.widget)
        layout.addLayout(_line([self.add]))
        layout.addSpacing(12)
        layout.addWidget(_heading("Deployment"))
        layout.addWidget(self.lacking)
        layout.addWidget(self.form.widget)
        layout.addSpacing(8)
        for names in (_CHANGES, _LOOKS):
            layout.addLayout(_line([self.verbs[name] for name in names]))
        layout.addWidget(self.status)
        layout.addWidget(self.rows, 100)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.add.clicked.connect(self._add)
        self.place.on_submit(self._add)
        self.form.on_submit(lambda: self.verbs["preview"].click())
        self.verbs["cancel"].clicked.connect(self._cancel)
        for name in self.verbs.keys() - {"cancel"}:
            self.verbs[name].clicked.connect(lambda _=False, name=name: self._ask(name))

    def _add(self) -> None:
        if not self.place.check():
            return
        try:
            spec = self.spec(self.place.values())
        except StudioError as error:
            self.host.fail(error)
            return
        if self.host.add_target(spec):
            self.refresh()
            self.form.set_values({"target": spec.name})
            self._say(f"{spec.url} is the target {spec.name}.", "good")

    def _ask(self, verb: str) -> None:
        if not self.form.check():
            return
        values = self.form.values()
        more: dict[str, object] = {}
        if verb in _NEED_MODEL:
            # What was not touched is left to the settings of the target.
            pairs = [
                f"{name}={text}" for name, text in touched(self.deploy_options, values).items()
            ]
            more = {"model": self.host.model(), "dry_run": verb == "preview", "set": pairs}
            if values.get("canary"):
                more["canary"] = values["canary"]
        step = "deploy" if verb == "preview" else verb
        running = self.host.start(step, target=values["target"], **more)
        if running is None:
            return
        self._running, self._verb = running, verb
        running.progressed.connect(self._progress)
        running.finished.connect(self._finish)
        self._show(())
        self._say(f"{self.verbs[verb].text()} ...")
        self.refresh()

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def _progress(self, done: float, total: float, text: str) -> None:
        if text:
            self._say(text)

    def _finish(self, end: StepEnd) -> None:
        self._running = None
        failed = Told(f"{end.sentence} {end.hint}".strip(), good=False)
        told = tell(self._verb, end.result) if end.ok else failed
        self._show(told.lines)
        self._say(told.text, "good" if told.good else "bad")
        self.refresh()

    def _show(self, lines: Sequence[str]) -> None:
        self.rows.setPlainText("\n".join(lines))
        self.rows.setVisible(bool(lines))

    def _say(self, text: str, tone: str = "") -> None:
        self._tone = tone
        self.status.setText(text)
        token = f"{tone}_text" if tone else "text"
        self.status.setStyleSheet(f"color: {self.host.color(token).name()}")


def _line(widgets: Sequence[QWidget]) -> QHBoxLayout:
    line = QHBoxLayout()
    for widget in widgets:
        line.addWidget(widget)
    line.addStretch(1)
    return line


def _heading(text: str) -> QWidget:
    label = QLabel(text, textFormat=Qt.TextFormat.PlainText)
    label.setProperty("role", "section")
    return label
