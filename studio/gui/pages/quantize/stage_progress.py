"""The stages of a running job, as they come: what is done, what runs, how long is left."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from PySide6.QtWidgets import QGridLayout, QWidget

from studio.gui import figures
from studio.gui.widgets.basics import GRID, clear, label

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
