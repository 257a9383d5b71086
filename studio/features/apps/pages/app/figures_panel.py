"""Counts of events, and time by stage and source of a running app."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.features.apps.pages.app import live
from studio.gui.widgets.basics import GRID, FieldList, Pill, Scroll, label
from studio.gui.widgets.tables import Table

_NO_COUNTS = "Counts by step and kind appear with the first event."
_NO_TIMES = "The time of each stage appears when the app runs."


class CountsPanel(QWidget):
    """Number of events by step and kind."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Table(("Step", "Event", "Count"), (2,), (0, 1), "Counts by step and event")
        self.empty = label(_NO_COUNTS, "dim", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty)
        layout.addWidget(self.table, 1)
        layout.addStretch(0)
        self.show_figures(None)

    def show_figures(self, found: live.Figures | None) -> None:
        """Show the counts of a run."""
        rows = live.count_rows(found) if found is not None else []
        self.table.show_rows(rows)
        self.table.setVisible(bool(rows))
        self.empty.setVisible(not rows)


class TimingPanel(Scroll):
    """End-to-end latency, the time of each stage, and the state of each source.

    Attributes:
        order: Names of the steps in the order in which they run.
    """

    def __init__(self) -> None:
        super().__init__(margin=0, spacing=GRID)
        self.order: Sequence[str] = ()
        self.fields = FieldList(name_width=10 * GRID)
        self.stages = Table(
            ("Stage", "p50 (ms)", "p95 (ms)", "Mean (ms)"), (1, 2, 3), 0, "Time by stage"
        )
        self.sources = Table(
            ("Source", "State", "Frames/s", "Dropped"), (2, 3), 0, "State of the sources"
        )
        self.reasons = label("", "", tone="bad", wrap=True)
        self.empty = label(_NO_TIMES, "dim", wrap=True)
        for widget in (self.empty, self.fields, self.sources, self.reasons, self.stages):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self.show_figures(None)

    def show_figures(self, found: live.Figures | None) -> None:
        """Show the figures of a run."""
        self.empty.setVisible(found is None)
        for widget in (self.fields, self.stages, self.sources):
            widget.setVisible(found is not None)
        reasons = live.lost_reasons(found) if found is not None else []
        self.reasons.setText("\n".join(reasons))
        self.reasons.setVisible(bool(reasons))
        if found is None:
            return
        self.fields.show_fields(live.latency_fields(found))
        self.stages.show_rows(live.stage_rows(found, self.order))
        self.stages.fit_height()
        self.sources.show_rows(
            (name, Pill(state, live.source_tone(state)), rate, dropped)
            for name, state, rate, dropped in live.source_rows(found)
        )
        self.sources.fit_height()
