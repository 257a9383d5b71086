"""The tools of a target besides deploying: log, releases, promote, undeploy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QWidget

from studio.api import Resource
from studio.deployment.results import LogsResult, ResourcesResult, ServerResult
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, button, label, row, set_enabled

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, Workspace

LOGS, RESOURCES, PROMOTE, UNDEPLOY = "logs", "resources", "promote", "undeploy"
START, STOP = "start", "stop"
CALL = "call"
LANGUAGES = (("curl", "curl"), ("Python", "python"), ("JavaScript", "javascript"))
LINES = 200
TEXT_HEIGHT = 20 * GRID
_BUSY = "A job is running. Wait for it to finish or cancel it."


class TargetTools(Card):
    """Buttons for one target, and the text that they bring.

    Signals:
        changed: Something else serves there now.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, shell: Shell, strip: JobStrip) -> None:
        super().__init__()
        self.workspace = workspace
        self.shell = shell
        self._strip = strip
        self._target = ""
        self._doing = ""
        self.title = label("", "dim")
        self.log = button("Log", lambda: self._start(LOGS, lines=LINES))
        self.there = button("Inspect", lambda: self._start(RESOURCES))
        self.begin = button("Start", lambda: self._start(START))
        self.end = button("Stop", lambda: self._start(STOP))
        self.call = button("Show code")
        self.call.setMenu(self._make_languages())
        self.promote = button("Promote", lambda: self._start(PROMOTE))
        self.take_away = button("Undeploy…", lambda: self._prompt(True))
        self.close_button = button("Close", self._close, "link")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFixedHeight(TEXT_HEIGHT)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Target output")
        self._asking = self._make_question()
        powers = (self.call, self.begin, self.end)
        buttons = (self.log, self.there, *powers, self.promote, self.take_away)
        self.body.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        self.body.addLayout(row(self.title, None, *buttons, self.close_button))
        self.body.addWidget(self._asking)
        self.body.addWidget(self.text)
        self._close()

    def _make_languages(self) -> QMenu:
        menu = QMenu(self)
        for title, language in LANGUAGES:
            menu.addAction(title).setData(language)
        menu.triggered.connect(lambda action: self._start(CALL, print=action.data()))
        return menu

    def _make_question(self) -> QWidget:
        holder = QWidget()
        self._question = label("", wrap=True)
        self.confirm = button("Undeploy", self._undeploy, "danger")
        keep = button("Cancel", lambda: self._prompt(False), "link")
        layout = row(self._question, self.confirm, keep)
        layout.setStretch(0, 1)
        holder.setLayout(layout)
        holder.hide()
        return holder

    def show_target(self, name: str, spoken: str, *, serves: bool, canary: bool) -> None:
        """Act on another target from now on."""
        if name != self._target:
            self._close()
        self._target = name
        self.title.setText(f"On {spoken}")
        busy = _BUSY if self._strip.running else ""
        set_enabled(self.log, busy)
        set_enabled(self.there, busy)
        idle = busy or ("" if serves else "No release is running on this target.")
        for one in (self.call, self.begin, self.end, self.take_away):
            set_enabled(one, idle)
        set_enabled(self.promote, busy)
        self.promote.setVisible(canary)
        self._question.setText(
            f"Stop the release on {spoken}? Its files are kept for a later deployment."
        )

    def finished(self, outcome: JobOutcome) -> bool:
        """Show what came of a tool; False when the job was none of them."""
        doing, self._doing = self._doing, ""
        if not doing:
            return False
        if outcome.ok and doing == CALL:
            self._show(outcome.result.code.splitlines())
            # Code is read from its first line; ``_show`` scrolls to the end, as for a log.
            self.text.verticalScrollBar().setValue(0)
        elif outcome.ok and isinstance(outcome.result, LogsResult):
            self._show(list(outcome.result.lines) or ["The log is empty."])
        elif outcome.ok and isinstance(outcome.result, ResourcesResult):
            lines = [_line(one) for one in outcome.result.resources]
            self._show(lines or ["No files or resources remain on this target."])
        elif outcome.ok:
            self._close()
            if isinstance(outcome.result, ServerResult):
                self.shell.notify(f"{self.title.text()} the server is {outcome.result.state}.")
            self.changed.emit()
        return True

    def _start(self, step: str, **options: object) -> None:
        if self._strip.running:
            return
        if self._strip.follow(self.shell.start(step, target=self._target, **options)):
            self._doing = step

    def _prompt(self, ask: bool) -> None:
        self._asking.setVisible(ask)
        if ask:
            self.confirm.setFocus()

    def _undeploy(self) -> None:
        self._prompt(False)
        self._start(UNDEPLOY)

    def _show(self, lines: list[str]) -> None:
        self.text.setPlainText("\n".join(lines))
        self.text.setVisible(True)
        self.close_button.setVisible(True)
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _close(self) -> None:
        self.text.hide()
        self.close_button.hide()
        self._prompt(False)


def _line(one: Resource) -> str:
    running = "running" if one.running else "       "
    return "  ".join(filter(None, (f"{one.kind:<12}", running, one.name, one.since)))
