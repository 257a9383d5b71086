"""The lower part of the results: what it is for, the progress, the failure, or the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from studio.gui.pages.quantize.stage_progress import StageProgress
from studio.gui.widgets.basics import GRID, Disclosure, Pill, button, label, row

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
