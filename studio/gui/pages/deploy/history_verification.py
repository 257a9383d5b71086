"""Whether a target's own history is whole, asked and answered in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from studio.deployment.results import VerifyLogResult
from studio.gui import figures
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.base import pipeline_button
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Pill, button, label, row, set_enabled

if TYPE_CHECKING:
    from studio.api import TargetSpec
    from studio.workspace import JobOutcome, Workspace

STEP = "verify-log"
HINT = (
    "Verify reads the release history of a target and compares it with earlier reads by this "
    "computer."
)


class HistoryVerification(QWidget):
    """A target to choose, a button, and what was found."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self.shell = shell
        self.strip = JobStrip()
        self.target = QComboBox()
        self.target.setAccessibleName("Target whose history is verified")
        self.verify_button = button("Verify", self.verify)
        self.verdict = Pill("")
        self.text = label(HINT, "dim", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        pipeline = pipeline_button(workspace, shell, (STEP,))
        line = row(self.target, self.verify_button, GRID, self.verdict, self.text, pipeline)
        line.setStretch(line.count() - 2, 1)
        layout.addLayout(line)
        layout.addWidget(self.strip)
        self.verdict.hide()
        self.strip.finished.connect(self._finished)
        self.target.currentIndexChanged.connect(lambda _: self._forget())

    def show_targets(self, targets: Sequence[TargetSpec]) -> None:
        """Offer these; the chosen one stays."""
        chosen = self.target.currentData()
        names = [target.name for target in targets]
        if names == [self.target.itemData(number) for number in range(self.target.count())]:
            return
        self.target.blockSignals(True)
        self.target.clear()
        for name in names:
            self.target.addItem(target_rows.named(name), name)
        self.target.setCurrentIndex(max(0, self.target.findData(chosen)))
        self.target.blockSignals(False)
        self._explain()

    def verify(self) -> None:
        """Verify the history of the chosen target."""
        if self.strip.running or not self.target.currentData():
            return
        self._forget()
        self.strip.follow(self.shell.start(STEP, target=self.target.currentData()))
        self._explain()

    def _finished(self, outcome: JobOutcome) -> None:
        self._explain()
        if outcome.ok:
            self._show(outcome.result)

    def _show(self, result: VerifyLogResult) -> None:
        word, tone = ("verified", "good") if result.whole else ("verification failed", "bad")
        self.verdict.show_state(word, tone)
        self.verdict.show()
        entries = figures.count(result.entries, "entry", "entries")
        seen = figures.count(result.anchors, "time")
        confirmed = f"{entries} verified; confirmed by this computer {seen} before."
        self.text.setText(confirmed if result.whole else result.problem)

    def _forget(self) -> None:
        """Forget a result that belongs to another target."""
        self.verdict.hide()
        self.text.setText(HINT)

    def _explain(self) -> None:
        busy = "Verifying…" if self.strip.running else ""
        lacking = "" if self.target.count() else "No target has a release history."
        set_enabled(self.verify_button, busy or lacking)
