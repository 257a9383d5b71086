"""The lower part of the results: what it is for, the progress, the failure, or the verdict."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QStackedWidget, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.widgets.basics import GRID, Disclosure, Pill, button, clear, label, row

_COUNT = re.compile(r"\s*\(?\b\d+ of \d+\)?|\s*with \d+ layers in float")
_EARLY = 0.04
_EARLY_SECONDS = 1.5


class StageProgress(QWidget):
    """The stages read from the texts of the progress; a count in a text is no stage of its own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._began = 0.0
        self._stages: list[tuple[str, float]] = []
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self.setLayout(self._grid)
        self.left = label("", "dim")
        self.setAccessibleName("Stages")

    def begin(self) -> None:
        """A new job starts."""
        self._began = self._clock()
        self._stages = []
        self._show("", 0.0)

    def advance(self, share: float, text: str) -> None:
        """Show the share of the job that is done, with the text of its stage."""
        stage = _COUNT.sub("", text).strip()
        if stage and (not self._stages or self._stages[-1][0] != stage):
            self._stages.append((stage, self._clock()))
        self._show(text, share)

    def end(self) -> None:
        """The job has ended."""
        self._stages.append(("", self._clock()))
        self._show("", 1.0)

    def rows(self) -> list[tuple[str, str]]:
        """Return each stage with its time, or with an ellipsis while it runs."""
        found = []
        for index, (stage, began) in enumerate(self._stages):
            if not stage:
                continue
            after = self._stages[index + 1 :]
            found.append((stage, figures.seconds(after[0][1] - began) if after else "…"))
        return found

    def time_left(self, share: float) -> str:
        """Return the remaining time; empty while it is unknown."""
        passed = self._clock() - self._began
        if share < _EARLY or passed < _EARLY_SECONDS or share >= 1:
            return ""
        return f"about {figures.seconds(passed * (1 - share) / share)} left"

    def _show(self, text: str, share: float) -> None:
        rows = self.rows()
        self.left.setText(self.time_left(share))
        clear(self._grid)
        if not rows and share < 1:
            self._grid.addWidget(label("Starting…", "dim"), 0, 0)
        for y, (stage, took) in enumerate(rows):
            is_last = took == "…"
            shown = text if is_last and text else stage
            self._grid.addWidget(label(shown, "strong" if is_last else "dim"), y, 0)
            self._grid.addWidget(label("" if is_last else took, "dim"), y, 1)


if TYPE_CHECKING:
    from studio.gui.pages.shared.stage_page import JobStrip
    from studio.workspace import JobOutcome

EMPTY, RUNNING, FAILED, DONE = range(4)
LEAST_HEIGHT = 22 * GRID
"""Of all states alike, so that nothing moves when one follows another."""

_OVER_BUDGET = "GateMissed"
"""Name of the error of a variant that lost more than its budget, or is too slow."""

_PURPOSE = (
    "Size, metric drop, latency and regressed samples of each variant appear here. A small model "
    "takes seconds, a large one minutes; Cancel keeps the finished variants."
)


class RunState(QStackedWidget):
    """One of four states at the same place.

    Signals:
        retried: The user wants to do it again.
        options_asked: The user wants to change the options.
        search_asked: The user wants a search for the layers that stay in float.
    """

    retried = Signal()
    options_asked = Signal()
    search_asked = Signal()

    def __init__(self, strip: JobStrip, verdict: QWidget) -> None:
        super().__init__()
        self.stages = StageProgress()
        self.problem = label("", "strong", wrap=True)
        self.hint = label("", "dim", wrap=True)
        self.detail = Disclosure("Details")
        self.search = button("Search layers to keep in float", self.search_asked.emit)
        self.setMinimumHeight(LEAST_HEIGHT)
        for pane in (self._empty(), self._running(strip), self._failed(), verdict):
            self.addWidget(pane)

    @staticmethod
    def _empty() -> QWidget:
        pane, layout = _pane()
        layout.addStretch(1)
        for item in (label("No results yet", "section"), label(_PURPOSE, "dim", wrap=True)):
            item.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(item)
        layout.addStretch(2)
        return pane

    def _running(self, strip: JobStrip) -> QWidget:
        pane, layout = _pane()
        layout.addWidget(strip)
        layout.addWidget(self.stages)
        layout.addWidget(self.stages.left)
        layout.addStretch(1)
        return pane

    def _failed(self) -> QWidget:
        pane, layout = _pane()
        layout.addLayout(row(Pill("failed", "bad"), None))
        for item in (self.problem, self.hint):
            item.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            layout.addWidget(item)
        again = button("Try again", self.retried.emit)
        options = button("Change options", self.options_asked.emit)
        layout.addLayout(row(self.search, again, options, None))
        layout.addWidget(self.detail)
        layout.addStretch(1)
        return pane

    def show_state(self, state: int) -> None:
        """Show one of the four."""
        self.setCurrentIndex(state)

    def show_failure(self, outcome: JobOutcome) -> None:
        """Show why nothing came of it, until the next success."""
        self.problem.setText(outcome.sentence)
        self.hint.setText(outcome.hint)
        self.hint.setVisible(bool(outcome.hint))
        self.search.setVisible(outcome.error == _OVER_BUDGET)
        self.detail.show_text(outcome.detail)
        self.detail.setVisible(bool(outcome.detail))
        self.show_state(FAILED)


def _pane() -> tuple[QWidget, QVBoxLayout]:
    pane = QWidget()
    layout = QVBoxLayout(pane)
    layout.setContentsMargins(12, GRID, 12, GRID)
    layout.setSpacing(GRID)
    return pane, layout
