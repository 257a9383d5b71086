"""The card of group metrics: metric, required figure, intervals, and findings."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import QComboBox, QFrame, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from studio.api import Option
from studio.features.evidence.groups.results import GroupsResult
from studio.features.evidence.pages.evidence.group_findings import (
    Finding,
    below,
    findings,
    is_share,
)
from studio.gui import figures
from studio.gui.charts.chart import Chart
from studio.gui.charts.group_intervals import FRAME, ROW, GroupIntervals, IntervalRow
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, ElidedLabel, Hint, button, clear, label, row
from studio.gui.widgets.two_columns import TwoColumns

TEXT = (
    "Quality by group with 95 % intervals, the worst group and the calibration of the "
    "confidences. It takes as long as an evaluation."
)
_LEAST = 560
_FINDINGS = 200
_HIGHEST = 100.0


class GroupsCard(Card):
    """The newest quality by group of a variant.

    Signals:
        wanted: The user wants the groups to be measured.
        changed: The metric or the required figure was changed.
        misses: Column and group whose wrong answers the user wants to see.
    """

    wanted = Signal()
    changed = Signal()
    misses = Signal(str, str)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.setAccessibleName("Group metrics")
        self.result: GroupsResult | None = None
        self.detail = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.detail.setProperty("role", "dim")
        self.metrics = QComboBox()
        self.metrics.setAccessibleName("Metric")
        self.metrics.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.required = QLineEdit()
        self.required.setAccessibleName("Required figure of each group, in percent")
        self.required.setPlaceholderText("none")
        self.required.setFixedWidth(64)
        self.required.setValidator(QDoubleValidator(0.0, _HIGHEST, 3))
        self._unit = label("%", "dim")
        title = label("Required", "dim")
        title.setBuddy(self.required)
        self.chart = Chart(theming, "Group metrics", QSize(_LEAST // 2, 3 * ROW + FRAME))
        self._findings = QVBoxLayout()
        self._findings.setSpacing(GRID)
        side = QWidget()
        side.setMinimumWidth(_FINDINGS)
        side.setLayout(self._findings)
        self._findings.setContentsMargins(0, 0, 0, 0)
        self._columns = TwoColumns(self.chart, side, (3, 1), _LEAST)
        self.hint = Hint("Groups not measured yet", TEXT, "Measure groups", self.wanted.emit)
        head = row(label("Group metrics", "heading"), self.detail, self.metrics, 4)
        head.setStretch(1, 1)
        for widget in (title, self.required, self._unit):
            head.addWidget(widget)
        self.body.addLayout(head)
        self.body.addWidget(self._columns)
        self.body.addWidget(self.hint)
        self.required.editingFinished.connect(self._entered)
        self.metrics.activated.connect(lambda _: self.changed.emit())
        self.chart.picked.connect(self._picked)
        self.show_result(None, "")

    def offer(self, metric: Option) -> None:
        """Offer the metrics of the step."""
        titles = metric.choice_titles or metric.choices
        for value, title in zip(metric.choices, titles, strict=True):
            self.metrics.addItem(title, value)

    def limit(self) -> float | None:
        """Return the required figure as the metric gives it; None for none."""
        try:
            value = float(self.required.text().replace(",", "."))
        except ValueError:
            return None
        return value / 100 if self._is_share else value

    def set_limit(self, value: float | None) -> None:
        """Show another required figure."""
        shown = value if value is None or not self._is_share else 100 * value
        self.required.setText("" if shown is None else f"{shown:.4g}")
        self._show()

    @property
    def _is_share(self) -> bool:
        return self.result is None or is_share(self.result)

    def show_result(self, result: GroupsResult | None, at: str) -> None:
        """Show the newest measurement; None without one."""
        self.result = result
        self._columns.setVisible(result is not None)
        self.hint.setVisible(result is None)
        self._unit.setVisible(self._is_share)
        if result is not None:
            samples = figures.count(result.samples, "sample")
            self.detail.setText(f"{result.title}, {samples}, {figures.moment(at)}")
            place = self.metrics.findData(result.metric)
            self.metrics.setCurrentIndex(max(place, 0))
        else:
            self.detail.setText("")
        self._show()

    def _entered(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        result, required = self.result, self.limit()
        clear(self._findings)
        if result is None:
            self.chart.show_drawing(None)
            return
        drawing = intervals(result, required)
        self.chart.setFixedHeight(ROW * len(drawing.rows) + FRAME)
        self.chart.show_drawing(drawing)
        for one in findings(result, required):
            self._findings.addWidget(self._finding(one))
        self._findings.addStretch(1)

    def _finding(self, one: Finding) -> QFrame:
        frame = QFrame()
        frame.setProperty("role", "verdict")
        frame.setProperty("tone", one.tone)
        frame.setAccessibleName(f"{one.title}. {one.text}")
        column = QVBoxLayout(frame)
        column.setContentsMargins(GRID + 4, GRID, GRID + 4, GRID)
        column.setSpacing(4)
        column.addWidget(label(one.title, "section", tone=one.tone, wrap=True))
        column.addWidget(label(one.text, "" if one.tone == "bad" else "dim", wrap=True))
        if one.group[0]:
            made = button("See the misses", partial(self.misses.emit, *one.group))
            made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            column.addWidget(made)
        return frame

    def _picked(self, key: int) -> None:
        if self.result is not None and 0 <= key < len(self.result.groups):
            cell = self.result.groups[key]
            self.misses.emit(cell.column, cell.group)


def intervals(result: GroupsResult, required: float | None) -> GroupIntervals:
    """Return the drawing of a measurement."""
    found = below(result, required)
    many = len(result.columns) > 1
    overall = result.overall
    first = IntervalRow("All", overall.samples, overall.value, overall.low, overall.high)
    rows = [
        IntervalRow(
            f"{one.column}: {one.group}" if many else one.group,
            one.samples,
            one.value,
            one.low,
            one.high,
            one in found,
            key,
        )
        for key, one in enumerate(result.groups)
    ]
    return GroupIntervals(result.title, (first, *rows), required, is_share(result))
