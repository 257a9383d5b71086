"""The cards of calibration, robustness and misses."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal

from studio.features.evidence.groups.results import GroupsResult
from studio.features.evidence.pages.charts.reliability import Reliability
from studio.features.evidence.robustness.results import RobustnessResult
from studio.features.evidence.survey.views import SampleAnswer
from studio.gui import figures
from studio.gui.charts.chart import Chart
from studio.gui.charts.severity_heat import FRAME, LINE, HeatLine, SeverityHeat
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.theme import Theming
from studio.gui.widgets.basics import Card, button, label, row
from studio.gui.widgets.tables import Table

_CHART = 240
_MOST_MISSES = 200


class CalibrationCard(Card):
    """The reliability diagram with the calibration error."""

    def __init__(self, theming: Theming) -> None:
        super().__init__("Calibration")
        self.chart = Chart(theming, "Calibration", QSize(240, _CHART))
        self.text = label("", "dim", wrap=True)
        self.body.addWidget(self.text)
        self.body.addWidget(self.chart)
        self.body.addStretch(1)

    def show_result(self, result: GroupsResult | None) -> None:
        """Show the calibration of a measurement; a sentence without one."""
        found = result.calibration if result is not None else None
        self.chart.setVisible(found is not None)
        if found is None:
            text = "Measure the groups to see how far confidences can be trusted."
            if result is not None:
                text = "The model gives no confidences for this data."
            self.text.setText(text)
            return
        brier = "" if found.brier is None else f" Brier score {found.brier:.3f}."
        self.text.setText(
            f"Expected calibration error {found.ece:.3f} [{found.low:.3f}, {found.high:.3f}]. "
            f"Mean confidence {found.confidence:.1%}, {found.accuracy:.1%} right.{brier}"
        )
        self.chart.show_drawing(Reliability(found))


class RobustnessCard(Card):
    """The figures on corrupted samples by severity.

    Signals:
        wanted: The user wants them to be measured.
    """

    wanted = Signal()

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.setAccessibleName("Robustness")
        self.measure = button("Measure robustness", self.wanted.emit)
        self.strip = JobStrip()
        self.text = label("", "dim", wrap=True)
        self.chart = Chart(theming, "Robustness", QSize(300, 4 * LINE + FRAME))
        self.body.addLayout(row(label("Robustness", "section"), None, self.measure))
        for widget in (self.text, self.strip, self.chart):
            self.body.addWidget(widget)
        self.body.addStretch(1)

    def show_result(self, result: RobustnessResult | None, at: str) -> None:
        """Show the newest measurement; a sentence without one."""
        self.chart.setVisible(result is not None)
        if result is None:
            self.text.setText(
                "Quality on samples with noise, blur, weather and digital damage. "
                "200 samples take about a minute."
            )
            return
        found = result.robustness
        text = (
            f"{result.title} on {figures.count(result.samples, 'sample')}: {result.clean:.1%} "
            f"clean, {found.mean:.1%} in the mean over families, {found.worst:.1%} in the worst. "
        )
        if result.attack is not None:
            text += f"{result.attack.held} of {result.attack.samples} attacked samples held. "
        self.text.setText(f"{text}{figures.moment(at)}.")
        drawing = heat_of(result)
        self.chart.setFixedHeight(LINE * len(drawing.lines) + FRAME)
        self.chart.show_drawing(drawing)


def heat_of(result: RobustnessResult) -> SeverityHeat:
    """Return the drawing of a measurement."""
    severities = tuple(sorted({one.severity for one in result.rows}))
    values = {(one.family, one.corruption, one.severity): one.value for one in result.rows}
    names = dict.fromkeys((one.family, one.corruption) for one in result.rows)
    lines = tuple(
        HeatLine(family, name, tuple(values.get((family, name, one)) for one in severities))
        for family, name in names
    )
    return SeverityHeat(severities, result.clean, lines)


class MissesCard(Card):
    """The samples of a group that the model answered wrong.

    Signals:
        explained: Numbers of samples that the user wants to be explained.
    """

    explained = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.title = label("", "section")
        self.explain = button("Explain the first four", self._explain)
        self.close_button = button("Close", self.hide, "link")
        self.table = Table(
            ("Sample", "Right answer", "Answer", "Confidence"), (3,), (0, 1, 2), "Misses"
        )
        self._numbers: list[str] = []
        self.body.addLayout(row(self.title, None, self.explain, self.close_button))
        self.body.addWidget(self.table)
        self.hide()

    def show_misses(self, group: str, misses: Sequence[SampleAnswer]) -> None:
        """Show the wrong answers of a group, the most confident first."""
        ordered = sorted(misses, key=lambda one: -(one.confidence or 0.0))
        count = figures.count(len(ordered), "miss", "misses")
        shown = ordered[:_MOST_MISSES]
        more = f", the first {_MOST_MISSES} shown" if len(shown) < len(ordered) else ""
        self.title.setText(f"{group}: {count}{more}")
        self.table.show_rows(
            (
                one.name,
                one.label,
                one.answer,
                figures.NOTHING if one.confidence is None else f"{one.confidence:.2f}",
            )
            for one in shown
        )
        self.table.fit_height(8)
        self.table.setVisible(bool(shown))
        self.explain.setVisible(bool(shown))
        self._numbers = [str(one.number) for one in shown[:4]]
        self.show()

    def _explain(self) -> None:
        self.explained.emit(self._numbers)
