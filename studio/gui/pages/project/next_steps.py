"""The card of the next steps: what each is for, whether it is done, and how far a run is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QProgressBar, QSizePolicy

from studio.api.qt import plain_tip
from studio.gui.pages.project.project_run import DONE, FAILED, RUNNING
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, Dot, ElidedLabel, button, label, row

STEPS = (
    ("quantize", "Optimize", "Smaller and faster variants, with their metric drop"),
    ("profile", "Profile", "Latency and memory of the variants, with intervals"),
    ("deploy", "Deploy", "One signed, atomic step to a target"),
    ("monitor", "Monitor", "Latency, errors, drift and quality of what is served"),
)
"""Stage, title and purpose."""

OPEN = "open"
_TOKENS = {DONE: "good", RUNNING: "accent", FAILED: "bad", OPEN: "idle"}
_QUIET = (
    "Run it all does the first three in order, deploys on this computer, and stops at the first "
    "failed check."
)


class NextSteps(Card):
    """The steps from a model to its monitoring.

    Args:
        go: Shows the page of a stage.
        cancel: Ends the run of all steps.
    """

    def __init__(
        self, theming: Theming, go: Callable[[str], object], cancel: Callable[[], object]
    ) -> None:
        super().__init__("Next steps")
        self._theming = theming
        self._states = {stage: OPEN for stage, _, _ in STEPS}
        self._dots: dict[str, Dot] = {}
        self._explanation = label(_QUIET, "dim", wrap=True)
        self._text = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(10 * GRID)
        self._cancel = button("Cancel", cancel, "link")
        self._progress = (self._text, self._bar, self._cancel)
        self.body.addLayout(self._steps(go))
        self.body.addWidget(self._explanation)
        self.body.addLayout(row(*self._progress, spacing=GRID))
        for part in self._progress:  # their room is kept: nothing moves when a run begins
            policy = part.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            part.setSizePolicy(policy)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_run("", 0, 0)

    def _steps(self, go: Callable[[str], object]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        for number, (stage, title, purpose) in enumerate(STEPS):
            dot = Dot(partial(self._color, stage))
            self._dots[stage] = dot
            grid.addWidget(dot, 2 * number, 0)
            grid.addWidget(
                button(title, partial(go, stage), "link"),
                2 * number,
                1,
                Qt.AlignmentFlag.AlignLeft,
            )
            text = label(purpose, "dim", wrap=True)
            text.setContentsMargins(0, 0, 0, GRID)
            grid.addWidget(text, 2 * number + 1, 1)
        return grid

    def show_states(self, states: Mapping[str, str]) -> None:
        """Show the state of each stage; one that is not named is open."""
        for stage, title, _ in STEPS:
            state = states.get(stage, OPEN)
            self._states[stage] = state
            self._dots[stage].setAccessibleName(f"{title}: {state}")
            self._dots[stage].setToolTip(plain_tip(state.capitalize()))
            self._dots[stage].update()

    def show_run(self, text: str, done: int, total: int) -> None:
        """Show how far the run of all steps is; an empty text for none."""
        for part in self._progress:
            part.setVisible(bool(text))
        self._text.setText(text)
        self._bar.setRange(0, total)
        self._bar.setValue(done)

    def _color(self, stage: str) -> QColor:
        return self._theming.current.color(_TOKENS[self._states[stage]])
