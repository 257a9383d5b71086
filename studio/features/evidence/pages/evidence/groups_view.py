"""The view of quality by group: settings, intervals, misses, calibration and robustness."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from studio.features.evidence.pages.evidence.groups_card import GroupsCard
from studio.features.evidence.pages.evidence.quality_cards import (
    CalibrationCard,
    MissesCard,
    RobustnessCard,
)
from studio.features.evidence.survey.views import EvidenceSurvey, MeasuredSamples
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, Scroll, button, label, row, set_enabled
from studio.gui.widgets.two_columns import TwoColumns

_BY = "by the file of groups, else by label or length"
_TWO = 820


class GroupsView(Scroll):
    """Settings of the step ``groups``, and its newest result.

    Signals:
        started: The user has started the step.
    """

    started = Signal()

    def __init__(self, theming: Theming) -> None:
        super().__init__(spacing=GRID + 4)
        self._samples = MeasuredSamples()
        self.by = QLineEdit()
        self.by.setPlaceholderText(_BY)
        self.by.setAccessibleName("Group by")
        self.by.setAccessibleDescription("Columns with commas: label, brightness:3, script*blur")
        self.measure = button("Measure groups", self.started.emit)
        self.strip = JobStrip()
        self.card = GroupsCard(theming)
        self.misses = MissesCard()
        self.calibration = CalibrationCard(theming)
        self.robustness = RobustnessCard(theming)
        settings = Card()
        settings.setAccessibleName("Settings of the groups")
        title = label("Group by", "dim")
        title.setBuddy(self.by)
        settings.body.addLayout(row(title, self.by, self.measure))
        pair = TwoColumns(self.calibration, self.robustness, (2, 3), _TWO)
        for widget in (settings, self.strip, self.card, self.misses, pair):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self.by.returnPressed.connect(self.measure.click)
        self.card.wanted.connect(self.measure.click)
        self.card.misses.connect(self.show_misses)

    def show_survey(self, survey: EvidenceSurvey | None) -> None:
        """Show the newest measurements; None without a model."""
        self.misses.hide()
        groups = survey.groups if survey is not None else None
        times = survey.times if survey is not None else {}
        self.card.show_result(groups, times.get("groups", ""))
        self.calibration.show_result(groups)
        robustness = survey.robustness if survey is not None else None
        self.robustness.show_result(robustness, times.get("robustness", ""))
        if survey is not None and not self.by.text():
            self.by.setText(", ".join(survey.by))

    def show_samples(self, samples: MeasuredSamples) -> None:
        """Know the samples, for the misses of a group."""
        self._samples = samples

    def show_misses(self, column: str, group: str) -> None:
        """Show the wrong answers of a group."""
        self.misses.show_misses(f"{column}: {group}", self._samples.misses(column, group))
        self.ensureWidgetVisible(self.misses)

    def set_reason(self, reason: str) -> None:
        """Disable the steps with a reason, or enable them."""
        for widget in (self.measure, self.card.hint.button, self.robustness.measure):
            set_enabled(widget, reason)

    def options(self) -> dict[str, Any]:
        """Return the options of the step ``groups``, without the model."""
        columns = [one.strip() for one in self.by.text().split(",") if one.strip()]
        given: dict[str, Any] = {"metric": str(self.card.metrics.currentData() or "auto")}
        return given | ({"by": columns} if columns else {})
