"""The Activity panel: the jobs of 30 days, also of earlier sessions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtWidgets import QFrame, QMessageBox, QStackedWidget, QWidget

from studio.gui.widgets.basics import (
    GRID,
    Hint,
    Scroll,
    Segmented,
    button,
    label,
    line,
    row,
)
from studio.gui.window.side.activity_row import ActivityRow, JobActions, day
from studio.gui.window.side.side_panel import SidePanel
from studio.gui.window.stages import BY_ID, stage_of_step

if TYPE_CHECKING:
    from studio.gui.shell import WindowParts
    from studio.workspace import JobEntry, RunningJob

SHOWN = 30
"""Jobs at first; more on demand."""

AT_ONCE = 5
"""Rows that are made in one turn of the event loop; each takes some milliseconds."""

FILTERS = ("", "running", "failed", "interrupted")
_NAMES = ("All", "Running", "Failed", "Interrupted")


class ActivityPanel(SidePanel):
    """The list of jobs, with a filter by state.

    Attributes:
        rows: The rows that are shown, by the job's id, the newest first.
    """

    def __init__(self, window: WindowParts) -> None:
        super().__init__("Activity", window.theming, window.widget)
        self._window = window
        self._entries: list[JobEntry] = []
        self._chosen: list[JobEntry] = []
        self._most = SHOWN
        self._is_reading = self._is_stale = False
        self.rows: dict[str, ActivityRow] = {}
        self._parts: dict[Hashable, QWidget] = {}
        self._actions = JobActions(
            self.repeat, self.show_result, self._show_pipeline, self._text_of_result
        )
        self.filter = Segmented(_NAMES, "Show jobs that are")
        self.more = button("Show older jobs", self._show_more, "link")
        self.clear = button("Clear done", self._clear_done, "link")
        self.clear.setToolTip("Removes the jobs that have succeeded from this list.")
        self._list = Scroll(margin=0, spacing=0)
        self._empty = Hint("No jobs yet", "Jobs appear here while they run and for 30 days.")
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._list)
        self._stack.setCurrentWidget(self._list)  # until it is known that there are none
        self._lay_out()
        self._grow = QTimer(self, singleShot=True, interval=0)
        self._grow.timeout.connect(self._add_rows)
        self.filter.changed.connect(lambda _index: self._show())

    def read(self) -> None:
        """Read the history in the background; the list is shown when it is there."""
        self._is_stale = self._is_reading
        if self._is_reading:
            return
        self._is_reading = True
        self._window.workspace.in_background(self._window.workspace.activity.entries, self._take)

    def refresh(self, job: RunningJob) -> None:
        """Show how far a job is; one that began or ended is read again."""
        known = self.rows.get(job.id)
        if known is None or known.job is None or not job.running:
            self.read()
        else:
            known.refresh()

    def repeat(self, entry: JobEntry) -> None:
        """Start a job once more, after a question where it acts on a target."""
        step = self._window.workspace.steps.get(entry.step)
        if step is None:
            self._window.notify(f"{entry.title} cannot be repeated.", "warning")
        elif step.effect.value == "acts" and not self._confirms(entry, step.title):
            return
        elif entry.step == "open":
            self._window.open_model(Path(str(entry.options["model"])))
        elif entry.step == "samples-get" and set(entry.options) == {"name"}:
            self._window.open_sample(str(entry.options["name"]))
        else:
            self._window.start(entry.step, **entry.options)

    def show_result(self, entry: JobEntry) -> None:
        """Show the page of a job's result, with the variant that it has made."""
        if entry.variant:
            self._window.select(entry.variant)
        self._window.go(stage_of_step(entry.step))

    def _text_of_result(self, entry: JobEntry) -> str:
        stage = stage_of_step(entry.step)
        if not stage or entry.state == "running":
            return ""
        return "Show result" if entry.state == "done" else f"Go to {BY_ID[stage].title}"

    def _confirms(self, entry: JobEntry, verb: str) -> bool:
        dialog = QMessageBox(self)
        dialog.setWindowTitle("Edgewright")
        dialog.setTextFormat(Qt.TextFormat.PlainText)
        dialog.setText(f"{entry.title} once more?")
        dialog.setInformativeText("The same options are used. This may change what is served.")
        accept = dialog.addButton(verb, QMessageBox.ButtonRole.AcceptRole)
        dialog.addButton(QMessageBox.StandardButton.Cancel)
        dialog.exec()
        return dialog.clickedButton() is accept

    def _show_pipeline(self, entry: JobEntry) -> None:
        self.closed.emit()
        self._window.show_action(entry.action)

    def _clear_done(self) -> None:
        self._window.workspace.activity.clear_done()
        self.read()

    def _show_more(self) -> None:
        self._most += SHOWN
        self._show()

    def _take(self, entries: list[JobEntry] | Exception) -> None:
        self._is_reading = False
        if self._is_stale:
            self.read()
        if not isinstance(entries, Exception):
            self._entries = entries
            self._show()

    def _show(self) -> None:
        """Show the chosen jobs."""
        wanted = FILTERS[self.filter.index()]
        self._count()
        self._chosen = [entry for entry in self._entries if wanted in ("", entry.state)]
        self._empty.title.setText("No jobs yet" if not wanted else f"No {wanted} jobs")
        self._stack.setCurrentIndex(1 if self._chosen else 0)
        self.more.setVisible(len(self._chosen) > self._most)
        self._add_rows()

    def _add_rows(self) -> None:
        """Show the rows that are there and some more, and the next ones in a later turn."""
        wanted = self._chosen[: self._most]
        absent = [entry for entry in wanted if _key(entry) not in self._parts]
        later = {_key(entry) for entry in absent[AT_ONCE:]}
        self._arrange([entry for entry in wanted if _key(entry) not in later])
        if later:
            self._grow.start()

    def _count(self) -> None:
        states = [entry.state for entry in self._entries]
        buttons = self.filter.findChildren(type(self.more))
        for name, state, one in zip(_NAMES, FILTERS, buttons, strict=True):
            number = states.count(state)
            one.setText(f"{name} {number}" if number else name)
        self.clear.setEnabled("done" in states)

    def _arrange(self, entries: Sequence[JobEntry]) -> None:
        """Show these jobs; a row that is the same as before stays as it is."""
        jobs = {job.id: job for job in self._window.workspace.jobs}
        body, old = self._list.body, self._parts
        while body.takeAt(0) is not None:
            pass
        self._parts, self.rows = {}, {}
        heading = ""
        now = datetime.now().astimezone()
        for entry in entries:
            title = "Now" if entry.state == "running" else day(entry, now)
            if title != heading:
                heading = title
                self._put(("day", title), old, partial(_heading, title))
            make = partial(
                ActivityRow, entry, jobs.get(entry.id), self._actions, self._window.theming
            )
            made = self._put(_key(entry), old, make)
            assert isinstance(made, ActivityRow)
            self.rows[entry.id] = made
            self._put(("line", entry.id), old, line)
        body.addWidget(self.more, 0, Qt.AlignmentFlag.AlignHCenter)
        body.addStretch(1)
        for gone in old.values():
            gone.hide()
            gone.deleteLater()
        # The list gets its new height now: in the old one, rows are squeezed until the next turn.
        QCoreApplication.sendEvent(self._list, QEvent(QEvent.Type.LayoutRequest))

    def _put(
        self, key: Hashable, old: dict[Hashable, QWidget], make: Callable[[], QWidget]
    ) -> QWidget:
        part = old.pop(key, None) or make()
        self._parts[key] = part
        self._list.body.addWidget(part)
        part.show()  # at once: until then it takes no room
        return part

    def _lay_out(self) -> None:
        top = row(self.filter, None)
        top.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        foot = QFrame()
        foot.setProperty("role", "toolbar")
        inner = row(label("Kept for 30 days, also after a restart", "dim"), None, self.clear)
        inner.setContentsMargins(2 * GRID, 4, 2 * GRID, 4)
        foot.setLayout(inner)
        self.more.hide()
        self.body.addLayout(top)
        self.body.addWidget(line())
        self.body.addWidget(self._stack, 1)
        self.body.addWidget(foot)


def _key(entry: JobEntry) -> Hashable:
    """Return what a row shows of a job that changes."""
    return entry.id, entry.state, entry.action


def _heading(title: str) -> QFrame:
    made = QFrame()
    made.setProperty("role", "dayhead")
    inner = row(label(title, "section"))
    inner.setContentsMargins(2 * GRID, 4, 2 * GRID, 4)
    made.setLayout(inner)
    return made
