"""A job in the Activity panel: its state as a mark and a word, its reason, and its actions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Disclosure, ElidedLabel, button, label, row
from studio.gui.widgets.line_breaks import breakable
from studio.gui.window.job_bar import show_progress
from studio.gui.window.time_left import TimeLeft
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.workspace import JobEntry, RunningJob

MARK = 20
TONES = {"running": "accent", "failed": "bad", "interrupted": "warning", "done": "good"}
_WORDS = {
    "running": "Running.",
    "done": "Done",
    "failed": "Failed.",
    "cancelled": "Cancelled.",
    "interrupted": "Interrupted.",
}


@dataclass(frozen=True, slots=True)
class JobActions:
    """The actions on a job, each called with its entry.

    Attributes:
        result_of: Returns the text of the button that shows a result; empty for no button.
    """

    repeat: Callable[[JobEntry], object]
    show: Callable[[JobEntry], object]
    show_pipeline: Callable[[JobEntry], object]
    result_of: Callable[[JobEntry], str]


class StateMark(QWidget):
    """A round mark whose drawing differs with the state, not its colour alone."""

    def __init__(self, state: str, theming: Theming) -> None:
        super().__init__()
        self._state, self._theming = state, theming
        self.setFixedSize(MARK, MARK)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the mark."""
        color = self._theming.current.color(TONES.get(self._state, "dim"))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(color, 1.5)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        edge = QRectF(1.5, 1.5, MARK - 3, MARK - 3)
        if self._state == "running":
            painter.drawArc(edge.adjusted(2, 2, -2, -2), 45 * 16, 270 * 16)
            return
        painter.drawEllipse(edge)
        for line in _GLYPHS.get(self._state, ()):
            painter.drawPolyline([QPointF(x, y) for x, y in line])


_GLYPHS = {
    "done": (((6, 10.5), (9, 13.5), (14, 7)),),
    "failed": (((7, 7), (13, 13)), ((13, 7), (7, 13))),
    "cancelled": (((6.5, 10), (13.5, 10)),),
    "interrupted": (((8, 7), (8, 13)), ((12, 7), (12, 13))),
}


class ActivityRow(QFrame):
    """A job of any session.

    Attributes:
        job: The job itself while it belongs to this session.
        words: The state as a word.
    """

    def __init__(
        self, entry: JobEntry, job: RunningJob | None, actions: JobActions, theming: Theming
    ) -> None:
        super().__init__()
        self.entry, self.job = entry, job
        self._actions = actions
        self._left = TimeLeft()
        self.words = label(_WORDS.get(entry.state, entry.state), "strong")
        self.words.setProperty("tone", TONES.get(entry.state, ""))
        self.sentence = label(breakable(reason(entry)), "dim", wrap=True)
        self.time = label(_clock(entry), "small")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(f"Progress of {entry.title}")
        self.details = Disclosure("Details", entry.detail)
        self.buttons = self._buttons()
        self._lay_out(theming)
        self.setAccessibleName(f"{entry.title}: {self.words.text()} {reason(entry)}".strip())
        self.refresh()

    def refresh(self) -> None:
        """Show how far a running job is."""
        job = self.job
        if job is None or not job.running:
            return
        show_progress(self.bar, job.state.done, job.state.total)
        left = self._left.text(job)
        parts = (part for part in (job.state.text, left) if part)
        text = ", ".join(parts)
        if text != self.sentence.text():
            self.sentence.setText(text)

    def _lay_out(self, theming: Theming) -> None:
        title = ElidedLabel(self.entry.title, Qt.TextElideMode.ElideRight)
        title.setProperty("role", "strong")
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addLayout(row(title, self.time))
        state = QHBoxLayout()
        state.setSpacing(6)
        state.addWidget(self.words, 0, Qt.AlignmentFlag.AlignTop)
        state.addWidget(self.sentence, 1)
        column.addLayout(state)
        column.addWidget(self.bar)
        column.addLayout(row(*self.buttons, None, spacing=2 * GRID))
        column.addWidget(self.details)
        self.bar.setVisible(self.job is not None and self.job.running)
        self.details.setVisible(bool(self.entry.detail))
        outer = QHBoxLayout(self)
        outer.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        outer.setSpacing(GRID + 4)
        outer.addWidget(StateMark(self.entry.state, theming), 0, Qt.AlignmentFlag.AlignTop)
        outer.addLayout(column, 1)

    def _buttons(self) -> list[QPushButton]:
        entry, actions = self.entry, self._actions
        made = []
        if self.job is not None and self.job.running:
            made.append(self._button("Cancel", self._cancel))
        if entry.state in ("failed", "cancelled", "interrupted") and entry.options:
            made.append(self._button("Try again", lambda: actions.repeat(entry)))
        shows = actions.result_of(entry)
        if shows:
            made.append(self._button(shows, lambda: actions.show(entry)))
        if entry.action:
            made.append(self._button("Show as pipeline", lambda: actions.show_pipeline(entry)))
        return made

    def _button(self, text: str, run: Callable[[], object]) -> QPushButton:
        made = button(text, run, "link")
        made.setAccessibleName(f"{text}: {self.entry.title}")
        return made

    def _cancel(self) -> None:
        if self.job is not None:
            self.buttons[0].setEnabled(False)
            self.buttons[0].setText("Stopping…")
            self.job.cancel()


def reason(entry: JobEntry) -> str:
    """Return why a job has ended as it did, and where: one sentence or two."""
    if entry.state == "running":
        return "In another window." if entry.is_elsewhere else entry.progress
    if entry.state == "done":
        return f"in {figures.seconds(entry.seconds)}."
    if entry.state == "interrupted":
        where = f" at “{entry.progress}”" if entry.progress else ""
        return f"The studio ended while the job was running{where}. Earlier results are kept."
    if entry.state == "cancelled":
        return f"At “{entry.progress}”." if entry.progress else "Before its first step."
    return f"{entry.sentence} {entry.hint}".strip()


def day(entry: JobEntry, now: datetime) -> str:
    """Return the day of a job in local time: ``Today``, ``Yesterday`` or ``18 Nov``."""
    moment = _local(entry)
    if moment is None:
        return ""
    passed = (now.date() - moment.date()).days
    names = {0: "Today", 1: "Yesterday"}
    return names.get(passed, moment.strftime("%d %b").lstrip("0"))


def _clock(entry: JobEntry) -> str:
    moment = _local(entry)
    return moment.strftime("%H:%M") if moment is not None else ""


def _local(entry: JobEntry) -> datetime | None:
    try:
        return datetime.fromisoformat(entry.ended or entry.started).astimezone()
    except ValueError:
        return None
