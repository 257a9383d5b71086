"""The open app: graph, preview, events and figures."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from studio.features.apps.pages.app import live
from studio.features.apps.pages.app.event_table import EventTable
from studio.features.apps.pages.app.figures_panel import CountsPanel, TimingPanel
from studio.features.apps.pages.app.graph_view import GraphView
from studio.features.apps.pages.app.part_panel import PartPanel
from studio.features.apps.pages.app.preview_card import PreviewCard, gives_pictures
from studio.gui import figures
from studio.gui.theme import Theming
from studio.gui.widgets.basics import (
    GRID,
    Card,
    ElidedLabel,
    Scroll,
    Segmented,
    button,
    label,
    restyle,
    row,
)
from studio.gui.widgets.two_columns import TwoColumns


class ProblemCard(Card):
    """An error or warning that stays until it is solved."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Problem")
        self.text = label("", "", tone="bad", wrap=True)
        self.hint = label("", "dim", wrap=True)
        self.retry = button("Retry", self._retry)
        self._again: Callable[[], object] | None = None
        self.body.setContentsMargins(2 * GRID, GRID + 4, GRID + 4, GRID + 4)
        texts = row(self.text, self.retry, spacing=2 * GRID)
        texts.setStretch(0, 1)
        texts.setAlignment(self.retry, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(texts)
        self.body.addWidget(self.hint)
        for item in (self.text, self.hint):
            item.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    def show_problem(
        self,
        text: str,
        hint: str = "",
        again: Callable[[], object] | None = None,
        tone: str = "bad",
    ) -> None:
        """Show what is wrong; *Retry* calls ``again``."""
        self._again = again
        self.text.setText(text)
        restyle(self.text, tone=tone)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.retry.setVisible(again is not None)
        self.setAccessibleName(f"Problem: {text}")
        self.show()

    def _retry(self) -> None:
        if self._again is not None:
            self._again()


if TYPE_CHECKING:
    from studio.features.apps.results import AppCheck, AppProgress, AppRun

EVENTS, COUNTS, TIMING, PART = range(4)
_SIDE = 50 * GRID
_LEAST_HEIGHT = 36 * GRID
_TWO_COLUMNS = 95 * GRID
_NO_EVENTS = "Events appear here, the newest first, when the app runs."
_NONE_YET = "No events yet. They appear here, the newest first."


class RunView(Scroll):
    """Everything about an app and its current or last run.

    Signals:
        recheck: The user wants the app to be checked again.
    """

    recheck = Signal()

    def __init__(self, theming: Theming) -> None:
        super().__init__(spacing=GRID + 4)
        self.check: AppCheck | None = None
        self.figures: live.Figures | None = None
        self._rates = live.Rates()
        self.name = label("", "heading")
        self.folder = ElidedLabel("")
        self.folder.setProperty("role", "dim")
        self.note = label("", "dim")
        self.again = button("Check again", self.recheck.emit, "link")
        self.problem = ProblemCard()
        self.warnings = label("", "", tone="warning", wrap=True)
        self.graph = GraphView(theming)
        self.preview = PreviewCard(theming)
        self.part = PartPanel()
        self._graph_card = Card()
        self._graph_card.setAccessibleName("Graph")
        self._graph_card.body.setContentsMargins(GRID, GRID, GRID, GRID)
        self._graph_card.body.addWidget(self.graph)
        head = row(self.name, self.folder, self.note, self.again, spacing=GRID + 4)
        head.setStretch(1, 1)
        self.body.addLayout(head)
        for widget in (self.problem, self.warnings, self._graph_card):
            self.body.addWidget(widget)
        self.columns = TwoColumns(self.preview, self._side(), least=_TWO_COLUMNS)
        self.body.addWidget(self.columns, 1)
        self.body.addStretch(0)
        self.graph.boxes.chosen.connect(self.select)
        self.preview.step_chosen.connect(self._select_step)
        self.forget()

    def _side(self) -> QWidget:
        self.events = EventTable()
        self.no_events = label(_NO_EVENTS, "dim", wrap=True)
        self.copy = button("Copy all", self.events.copy_rows, "link")
        self.counts, self.timing = CountsPanel(), TimingPanel()
        self.tabs = Segmented(("Events", "Counts", "Timing", "Part"), "Details")
        self.panels = QStackedWidget()
        listed = QWidget()
        layout = QVBoxLayout(listed)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.no_events)
        layout.addWidget(self.events, 1)
        layout.addStretch(0)
        for panel in (listed, self.counts, self.timing, self.part):
            self.panels.addWidget(panel)
        self.tabs.changed.connect(self._show_panel)
        side = Card()
        side.setAccessibleName("Details of the run")
        side.body.setContentsMargins(GRID + 4, GRID, GRID + 4, GRID + 4)
        side.body.addLayout(row(self.tabs, None, self.copy))
        side.body.addWidget(self.panels, 1)
        side.setMinimumSize(_SIDE, _LEAST_HEIGHT)
        return side

    # The app

    def forget(self) -> None:
        """Show nothing of an earlier app."""
        self.check = None
        self.problem.hide()
        self.warnings.hide()
        self._show_content(False)
        self.graph.boxes.selected = ""
        self.preview.clear()
        self.part.show_part(None)
        self.clear_run()

    def show_name(self, name: str, folder: str) -> None:
        """Name the app that is opened."""
        self.name.setText(name)
        self.folder.setText(folder)

    def show_check(self, check: AppCheck) -> None:
        """Show an app that can run."""
        self.check = check
        self.show_name(check.title, check.folder)
        self.problem.hide()
        self.warnings.setText("\n".join(check.warnings))
        self.warnings.setVisible(bool(check.warnings))
        self.timing.order = check.order
        self.graph.show_parts(check.parts)
        self.graph.boxes.show_figures(self.figures)
        self.preview.show_parts(check.parts)
        self.preview.setVisible(any(map(gives_pictures, check.parts)))
        self._show_content(True)
        self.select(self.graph.boxes.selected, show=False)

    def _show_content(self, shown: bool) -> None:
        self._graph_card.setVisible(shown)
        self.columns.setVisible(shown)

    def select(self, name: str, *, show: bool = True) -> None:
        """Select a part: its settings are shown, and its line or area can be changed.

        Args:
            show: Bring the settings into sight.
        """
        parts = self.check.parts if self.check is not None else ()
        part = next((one for one in parts if one.name == name), None)
        self.graph.boxes.select(name if part is not None else "")
        self.part.show_part(part)
        if part is not None:
            self.preview.choose(name)
            if show:
                self.tabs.set_index(PART)

    def _select_step(self, name: str) -> None:
        self.select(name, show=False)

    def _show_panel(self, index: int) -> None:
        self.panels.setCurrentIndex(index)
        self._show_figures()

    # A run

    def clear_run(self) -> None:
        """Forget the events and figures of the last run, before another one."""
        self.figures = None
        self._rates.clear()
        self.events.rows.show_events(())
        self.no_events.setText(_NO_EVENTS)
        self.note.setText("")
        self.counts.show_figures(None)
        self.timing.show_figures(None)
        self.graph.boxes.show_figures(None)
        self._show_events()

    def begin(self) -> None:
        """Show that a run begins, before its first report."""
        self.clear_run()
        self.problem.hide()
        self.no_events.setText(_NONE_YET)
        self.note.setText("Loading the models…")
        if self.tabs.index() == PART:
            self.tabs.set_index(EVENTS)

    def show_progress(self, progress: AppProgress) -> None:
        """Show a report of the running app."""
        self.figures = live.live_figures(progress, self._rates, time.monotonic())
        self.events.rows.add(progress.events)
        self.preview.show_progress(progress)
        self._show_events()
        self._show_figures()

    def show_run(self, run: AppRun) -> None:
        """Show the result of a run."""
        self.figures = live.final_figures(run)
        self.events.rows.show_events(run.events)
        self.no_events.setText("The run had no events.")
        self._show_events()
        self._show_figures()
        if run.failed:
            frames = figures.count(run.failed, "frame")
            self.problem.show_problem(f"{frames} failed: {run.fault}", tone="warning")

    def end(self) -> None:
        """Show that nothing runs; a run that was stopped keeps its figures."""
        if self.figures is not None:
            self.figures = live.stopped(self.figures)
            self._show_figures()
        else:
            self.note.setText("")
            self.no_events.setText(_NO_EVENTS)

    def _show_events(self) -> None:
        has_events = self.events.rows.rowCount() > 0
        self.events.setVisible(has_events)
        self.no_events.setVisible(not has_events)
        self.copy.setVisible(has_events and self.tabs.index() == EVENTS)

    def _show_figures(self) -> None:
        """Show the figures in what is seen of them."""
        self.copy.setVisible(self.tabs.index() == EVENTS and self.events.rows.rowCount() > 0)
        found = self.figures
        if found is None:
            return
        self.note.setText(live.note(found))
        self.graph.boxes.show_figures(found)
        if self.tabs.index() == COUNTS:
            self.counts.show_figures(found)
        elif self.tabs.index() == TIMING:
            self.timing.show_figures(found)
