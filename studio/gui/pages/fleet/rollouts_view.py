"""The map of rollouts in time: a lane for each, and the counts of the selected one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.charts.rollout_map import HEAD, LANE, Lane, RolloutChart, RolloutMap
from studio.gui.pages.shared.stage_page import StateRow, StateRows
from studio.gui.shell import Shell
from studio.gui.widgets.basics import Card, Hint, Scroll, Segmented, button, label, row
from studio.gui.widgets.list_or_hint import ListOrHint
from studio.workspace.boards.rollout_history import SHOWN, RolloutSpan, rollout_spans

if TYPE_CHECKING:
    from studio.workspace import Workspace

_RANGES = (("Day", 86_400.0), ("Week", 7 * 86_400.0), ("Month", 30 * 86_400.0), ("All", 0.0))
_ALL = len(_RANGES) - 1
_MARGIN = 0.02
_LEAST_S = 600.0
_MOST_LANES = 60
_TONES = {"done": "good", "running": "accent", "interrupted": "warning", "halted": "bad"}


class RolloutsView(QWidget):
    """The chart above, the selected rollout below."""

    def __init__(
        self, workspace: Workspace, shell: Shell, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self._workspace, self._shell, self._clock = workspace, shell, clock
        self.spans: Sequence[RolloutSpan] = ()
        self._selected = ""
        self.range = Segmented([title for title, _ in _RANGES], "Range of time")
        self.none_here = label("No rollouts in this time.", "dim")
        self.chart = RolloutChart(shell.theming, "Rollouts in time", QSize(320, 120))
        self.title = label("", "strong")
        self.waves = StateRows("Waves")
        self.open = button("Open in Runs", self._open_selected)
        self._lay_out()
        self.range.set_index(_ALL)
        self.range.changed.connect(lambda _: self._draw())
        self.chart.picked.connect(self._picked)
        self.chart.opened.connect(lambda key: self._open(self.spans[key]))

    def _lay_out(self) -> None:
        content = Scroll()
        chart = Card("Rollouts in time", "A click opens a rollout. Gaps in a bar separate waves.")
        chart.body.addLayout(row(self.range, self.none_here, None))
        chart.body.addWidget(self.chart)
        detail = Card("Selected rollout")
        head = row(self.title, self.open)
        head.setStretch(0, 1)
        detail.body.addLayout(head)
        detail.body.addWidget(self.waves)
        for part in (chart, detail):
            content.body.addWidget(part)
        content.body.addStretch(1)
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(content)
        hint = Hint(
            "No rollouts yet",
            "A rollout brings one release to many targets in waves. Each appears here as a bar.",
            "Go to Deploy",
            lambda: self._shell.go("deploy"),
        )
        self.stack = ListOrHint(self, holder, hint)

    def refresh(self) -> None:
        """Read the rollouts again, in the background."""
        registry = self._workspace.registry
        self._workspace.in_background(lambda: rollout_spans(registry), self._read)

    def _read(self, found: Sequence[RolloutSpan] | Exception) -> None:
        if isinstance(found, Exception):
            self._shell.fail(found)
            return
        self.spans = found
        names = [one.name for one in found]
        if names and self._selected not in names:
            self._selected = names[0]
        self.stack.show_list(bool(found))
        self._draw()

    def _draw(self) -> None:
        now, span = self._clock(), _RANGES[self.range.index()][1]
        begin = min((one.begin for one in self.spans), default=now)
        low = now - span if span else min(begin, now - _LEAST_S)
        shown = [
            (key, one) for key, one in enumerate(self.spans[:_MOST_LANES]) if _end(one, now) >= low
        ]
        high = now + _MARGIN * (now - low)
        lanes = tuple(_lane(key, one, now) for key, one in shown)
        self.none_here.setVisible(not lanes and bool(self.spans))
        self.chart.setVisible(bool(lanes))
        self.chart.setFixedHeight(HEAD + round(LANE * len(lanes)))
        names = [one.name for one in self.spans]
        selected = names.index(self._selected) if self._selected in names else -1
        self.chart.show_drawing(RolloutMap(lanes, low, high, selected))
        self._show_selected()

    def _picked(self, key: int) -> None:
        self._selected = self.spans[key].name
        self._draw()

    def _show_selected(self) -> None:
        span = next((one for one in self.spans if one.name == self._selected), None)
        if span is None:
            return
        self.title.setText(f"{span.title}: {span.state}, began {figures.moment(span.begin)}")
        rows = [
            StateRow(f"Wave {one.number}", "", figures.moment(one.begin), counts(one.states))
            for one in span.waves
        ]
        whole = StateRow(span.state, _TONES.get(span.state, ""), "Targets", counts(span.targets))
        self.waves.show_rows([whole, *rows])
        self.open.setText("Open in Runs" if span.action else "Open in Deploy")

    def _open_selected(self) -> None:
        span = next((one for one in self.spans if one.name == self._selected), None)
        if span is not None:
            self._open(span)

    def _open(self, span: RolloutSpan) -> None:
        """Show the rollout's page: its entry in the history, or the running one in Deploy."""
        if span.action:
            self._shell.show_action(span.action)
        else:
            self._shell.go("deploy")


def counts(states: Mapping[str, int]) -> str:
    """Return targets by state: ``8 kept, 2 rolled back``."""
    return ", ".join(f"{n} {SHOWN.get(word, word)}" for word, n in states.items()) or "none"


def _end(span: RolloutSpan, now: float) -> float:
    return now if span.state == "running" else span.end


def _lane(key: int, span: RolloutSpan, now: float) -> Lane:
    tip = [f"Wave {one.number}: {counts(one.states)}" for one in span.waves]
    return Lane(
        key=key,
        title=span.title,
        begin=span.begin,
        end=_end(span, now),
        state=span.state,
        waves=tuple(one.begin for one in span.waves[1:]),
        halts=span.halts,
        rollbacks=span.rollbacks,
        tip="\n".join([f"Targets: {counts(span.targets)}", *tip]),
    )
