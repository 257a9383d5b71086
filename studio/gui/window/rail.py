"""The rail of stages at the left edge of the window, each with its state and progress."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolButton, QVBoxLayout

from studio.api.qt import plain_tip
from studio.gui import icons
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, restyle
from studio.gui.window.stage_results import NEXT, StageResults
from studio.gui.window.stages import STAGES, Stage, stage_of_step

if TYPE_CHECKING:
    from studio.gui.current_project import CurrentProject
    from studio.gui.window.selection import Selection
    from studio.workspace import EndpointStatus, RunningJob, Workspace


WIDTH = 84
DOT = 8
HEIGHT, LEAST_HEIGHT = 6 * GRID - 2, 5 * GRID - 3
"""Of a button; the least one lets all stages into the least window."""

RESULT_HEIGHT = 7 * GRID - 2
"""Of a button with a result below its title; a lower one shows none."""

_RESULT_FONT = 0.85
_MANY = 100
_MARGIN, _GAP = 2, 0


class StageState(enum.Enum):
    """The state of a stage for the current model; its value is the tooltip and accessible text."""

    NONE = "nothing yet"
    DONE = "done"
    RUNNING = "running"
    WARNING = "warning"
    FAILED = "failed"


_TOKENS = {
    StageState.DONE: "good",
    StageState.RUNNING: "accent",
    StageState.WARNING: "warning",
    StageState.FAILED: "bad",
    StageState.NONE: "idle",
}
_PLANS_MS = 10_000
_LATER_MS = 20
"""What has changed is shown in the page first, and on the rail in a later turn."""

_OF_TONES = {
    "good": StageState.DONE,
    "accent": StageState.RUNNING,
    "warning": StageState.WARNING,
    "bad": StageState.FAILED,
}


class StageButton(QToolButton):
    """One stage: icon, title, and a dot whose form differs with the state, not its colour alone."""

    def __init__(self, stage: Stage, theming: Theming) -> None:
        super().__init__()
        self.stage = stage
        self.state = StageState.NONE
        self.result = ""
        self.count = 0
        self._theming = theming
        self.setText(stage.title)
        self.setProperty("role", "stage")
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(QSize(icons.ICON_SIZE, icons.ICON_SIZE))
        self.setFixedWidth(WIDTH - 2 * GRID)
        self.setMaximumHeight(HEIGHT if stage.at_bottom else RESULT_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.toggled.connect(self.dress)
        self.show_state(StageState.NONE)
        self.dress()

    def show_state(self, state: StageState, word: str = "", result: str = "") -> None:
        """Show and say a state.

        Args:
            word: A more exact word for it (``drift``).
            result: What came of the stage in a word or two (``7 nodes``).
        """
        self.state, self.result = state, result
        more = f", {result}" if result else ""
        says = "" if self.stage.at_bottom else f": {word or state.value}{more}"
        self.setAccessibleName(f"{self.stage.title}{says}")
        self.setToolTip(
            plain_tip(f"{self.stage.title}{says} ({self.stage.shortcut})".replace(" ()", ""))
        )
        self.update()

    def show_count(self, count: int, text: str) -> None:
        """Show how many things wait on a page, and what they are (``2 plans wait``)."""
        self.count = count
        waits = f": {text}" if count else ""
        self.setAccessibleName(f"{self.stage.title}{waits}")
        self.setToolTip(plain_tip(f"{self.stage.title}{waits} ({self.stage.shortcut})"))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH - 2 * GRID, self.maximumHeight())

    def minimumSizeHint(self) -> QSize:
        return QSize(WIDTH - 2 * GRID, LEAST_HEIGHT)

    def dress(self) -> None:
        """Set the icon in the theme's colour."""
        token = "text" if self.isChecked() else "dim"
        self.setIcon(icons.icon(self.stage.id, self._theming.current.color(token)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the room for a result, whether there is one yet or not."""
        super().resizeEvent(event)
        has_room = not self.stage.at_bottom and event.size().height() >= RESULT_HEIGHT
        restyle(self, tall="true" if has_room else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.result and self.height() >= RESULT_HEIGHT:
            self._paint_result()
        if not self.stage.at_bottom and self.state is not StageState.NONE:
            self._paint_state()
        if self.count:
            self._paint_count()

    def _paint_count(self) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(round(self.fontInfo().pixelSize() * _RESULT_FONT))
        painter.setFont(font)
        text = str(self.count) if self.count < _MANY else f"{_MANY - 1}+"
        width = painter.fontMetrics().horizontalAdvance(text) + GRID
        height = painter.fontMetrics().height()
        place = QRectF(self.width() / 2 + 6, 2, max(width, height), height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theming.current.color("accent_fill"))
        painter.drawRoundedRect(place, height / 2, height / 2)
        painter.setPen(Qt.GlobalColor.white)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_result(self) -> None:
        painter = QPainter(self)
        font = QFont(self.font())
        font.setPixelSize(round(self.fontInfo().pixelSize() * _RESULT_FONT))
        painter.setFont(font)
        is_next = self.result == NEXT
        painter.setPen(self._theming.current.color("accent_text" if is_next else "dim"))
        place = self.rect().adjusted(0, self.height() - 2 * GRID - 2, 0, -2)
        width = place.width()
        text = painter.fontMetrics().elidedText(self.result, Qt.TextElideMode.ElideRight, width)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_state(self) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = self._theming.current.color(_TOKENS[self.state])
        dot = QRectF(self.width() - DOT - 13, 10, DOT, DOT)
        if self.state is StageState.RUNNING:
            painter.setPen(QPen(color, 2))
            painter.drawEllipse(dot.adjusted(1, 1, -1, -1))
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        if self.state in (StageState.FAILED, StageState.WARNING):
            painter.drawRoundedRect(dot, 2, 2)
        else:
            painter.drawEllipse(dot)


class Rail(QFrame):
    """The rail of all stages.

    Signals:
        chosen: Identifier of the stage that the user wants to see.
    """

    chosen = Signal(str)

    def __init__(self, stages: Iterable[Stage], theming: Theming) -> None:
        super().__init__()
        self.setProperty("role", "rail")
        self.setAccessibleName("Stages")
        self.setFixedWidth(WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._buttons: dict[str, StageButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, _MARGIN, GRID, _MARGIN)
        layout.setSpacing(_GAP)
        stages = list(stages)
        for stage in stages:
            if stage.at_bottom and not any(button.stage.at_bottom for button in self.buttons()):
                layout.addStretch(1)
            button = StageButton(stage, theming)
            button.clicked.connect(lambda _checked=False, name=stage.id: self.chosen.emit(name))
            self._buttons[stage.id] = button
            layout.addWidget(button)
        theming.changed.connect(self.dress)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give all buttons of a kind the same height: all show their results, or none does."""
        super().resizeEvent(event)
        buttons = self.buttons()
        room = self.height() - 2 * _MARGIN - _GAP * (len(buttons) - 1)
        upper, lower = _heights(room, [button.stage.at_bottom for button in buttons])
        for button in buttons:
            button.setMaximumHeight(lower if button.stage.at_bottom else upper)

    def buttons(self) -> list[StageButton]:
        """Return the buttons from top to bottom."""
        return list(self._buttons.values())

    def show_stage(self, name: str) -> None:
        """Mark the stage that is shown."""
        for stage, button in self._buttons.items():
            button.setChecked(stage == name)

    def show_state(self, name: str, state: StageState, word: str = "", result: str = "") -> None:
        """Show the state of a stage, with a more exact word for it, and what came of it."""
        if name in self._buttons:
            self._buttons[name].show_state(state, word, result)

    def show_count(self, name: str, count: int, text: str) -> None:
        """Show how many things wait on a page."""
        if name in self._buttons:
            self._buttons[name].show_count(count, text)

    def dress(self) -> None:
        """Set the icons in the theme's colours."""
        for button in self._buttons.values():
            button.dress()


def _heights(room: int, at_bottom: Sequence[bool]) -> tuple[int, int]:
    """Return the heights of the buttons of the project and of those at the bottom."""
    lower = sum(at_bottom)
    upper = len(at_bottom) - lower
    left = room - upper * RESULT_HEIGHT
    if left >= lower * LEAST_HEIGHT:
        return RESULT_HEIGHT, min(HEIGHT, left // max(lower, 1))
    low = min(HEIGHT, max(LEAST_HEIGHT, room // max(len(at_bottom), 1)))
    return low, low


class Progress:
    """The state of the stages, read from the registry and the jobs of this session.

    A failure is remembered until the stage succeeds or another model is shown.
    """

    def __init__(
        self, rail: Rail, workspace: Workspace, current: Selection, project: CurrentProject
    ) -> None:
        self._rail = rail
        self._workspace = workspace
        self._current = current
        self._results = StageResults(workspace, current, project)
        self._failed: set[tuple[int, str]] = set()
        self._soon = QTimer(rail, singleShot=True, interval=_LATER_MS)
        self._soon.timeout.connect(self._show)
        from studio.workspace.boards.approvals import Approvals  # the first paint needs it not

        self._approvals = Approvals(workspace.plans)
        self._plans = QTimer(rail, interval=_PLANS_MS)  # other processes make plans, too
        self._plans.timeout.connect(self._count_plans)
        self._plans.start()
        self._is_ended = False

    def stage_of(self, job: RunningJob) -> str:
        """Return the stage that a job belongs to; empty for none."""
        return stage_of_step(job.spec.step)

    def note_end(self, job: RunningJob) -> None:
        """Remember how a job ended."""
        variant, outcome, stage = self._current.variant, job.outcome, self.stage_of(job)
        # A file that could not be opened is no failure of the model that is shown, nor is an app.
        if variant is None or outcome is None or stage in ("model", "app"):
            return
        key = (variant.model, stage)
        if outcome.ok:
            self._failed.discard(key)
        elif outcome.end.value != "cancelled":
            self._failed.add(key)

    def concerns(self, event: object) -> bool:
        """Return whether an event may change the state of a stage."""
        from studio.workspace import (
            EndpointChanged,
            JobFinished,
            JobStarted,
            RegistryChanged,
            StageRead,
        )

        kinds = JobStarted | JobFinished | RegistryChanged | EndpointChanged | StageRead
        return isinstance(event, kinds)

    def show_soon(self) -> None:
        """Show the state of each stage on the rail, once for all changes until then."""
        self._soon.start()

    def end(self) -> None:
        """Show nothing more: the registry is closed next."""
        self._is_ended = True
        self._soon.stop()
        self._plans.stop()

    def _show(self) -> None:
        self._count_plans()
        endpoints, results = self.endpoints(), self._results.words()
        for name, state in self.states().items():
            word = ""
            if name == "monitor" and (found := _OF_TONES.get(endpoints.tone)) is not None:
                state, word = found, endpoints.word
            if name == "project" and state is StageState.DONE and self._results.lacks:
                state, word = StageState.WARNING, "incomplete"
            result = results.get(name, "")
            is_done = result == NEXT and state is not StageState.NONE  # once, and undone since
            self._rail.show_state(name, state, word, "" if is_done else result)

    def _count_plans(self) -> None:
        """Count the plans that wait, in the background."""
        self._workspace.in_background(self._approvals.waiting, self._counted)

    def _counted(self, found: int | Exception) -> None:
        if isinstance(found, int) and not self._is_ended:
            self._rail.show_count(
                "fleet", found, "1 plan waits" if found == 1 else f"{found} plans wait"
            )

    def endpoints(self) -> EndpointStatus:
        """Return the worst status of the endpoints that serve the current model."""
        running = self._workspace.registry.history.running()
        self._workspace.endpoints.refresh(running)
        name = self._current.variant.model_name if self._current.variant else ""
        own = [at for at, release in running.items() if release.facts.name == name]
        return self._workspace.endpoints.worst(own)

    def states(self) -> dict[str, StageState]:
        """Return the state of each stage."""
        running = {self.stage_of(job) for job in self._workspace.jobs if job.running}
        variant, done = self._current.variant, self._finished_stages()
        states = {}
        for stage in STAGES:
            states[stage.id] = StageState.NONE
            if stage.id in running:
                states[stage.id] = StageState.RUNNING
            elif variant is not None and (variant.model, stage.id) in self._failed:
                states[stage.id] = StageState.FAILED
            elif stage.id in done:
                states[stage.id] = StageState.DONE
        return states

    def _finished_stages(self) -> set[str]:
        variant = self._current.variant
        if variant is None:
            return set()
        registry, variants = self._workspace.registry, self._current.variants
        done = {"project", "model"}
        if len(variants) > 1:
            done.add("quantize")
        if any(registry.runs("profile", each.id, most=1) for each in variants):
            done.add("profile")
        for result in self._results.added:
            if registry.runs(result.step, variant.id, most=1):
                done.add(result.stage)
        if registry.history.has(variant.model):
            done |= {"deploy", "monitor"}
        return done
