"""Pieces that several stage pages share: a job's progress, a pane that needs something, rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QProgressBar,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)

from studio.gui.pages.shared.base import Page
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, ElidedLabel, Hint, button, clear, label, line, row
from studio.gui.widgets.line_breaks import breakable
from studio.gui.widgets.style_parts import PartStack
from studio.lazy_dataclass import dataclass
from studio.workspace import JobFinished, JobMessage, JobProgressed, RegistryChanged

if TYPE_CHECKING:
    from studio.workspace import RunningJob, VariantRecord, Workspace

_THOUSAND = 1000
_TEXT_WIDTH = 25 * GRID  # a wrapped text asks for the height that it needs at its least width


class JobStrip(QFrame):
    """The progress of the page's job, and the button that cancels it.

    Hidden while nothing runs.

    Signals:
        message: Name and values of a live message of the job.
        finished: The job's outcome.
    """

    message = Signal(str, dict)
    finished = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setAccessibleName("Progress")
        self.job: RunningJob | None = None
        self.text = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(24 * GRID)
        self.cancel = button("Cancel", self._cancel, "link")
        layout = row(self.text, self.bar, self.cancel, spacing=2 * GRID)
        layout.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        self.setLayout(layout)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.hide()

    @property
    def running(self) -> bool:
        """Whether the page's job still runs."""
        return self.job is not None

    def follow(self, job: RunningJob | None) -> bool:
        """Show a job from now on; False when it could not be started."""
        self.job = job
        self.setVisible(job is not None)
        if job is None:
            return False
        self.text.setText(f"{job.title}…")
        self.cancel.setEnabled(True)
        self.bar.setRange(0, 0)
        return True

    def on_event(self, event: object) -> None:
        """Follow the job in the workspace's events."""
        job = self.job
        if job is None or getattr(event, "job", None) != job:
            return
        if isinstance(event, JobProgressed):
            state = job.state
            self._progress(state.done, state.total, state.text)
        elif isinstance(event, JobMessage):
            self.message.emit(event.name, dict(event.values))
        elif isinstance(event, JobFinished):
            self.job = None
            self.hide()
            self.finished.emit(job.outcome)

    def _progress(self, done: float, total: float, text: str) -> None:
        self.bar.setRange(0, _THOUSAND if total > 0 else 0)
        if total > 0:
            self.bar.setValue(round(_THOUSAND * min(done / total, 1.0)))
        if text:
            self.text.setText(text)

    def _cancel(self) -> None:
        if self.job is not None:
            self.cancel.setEnabled(False)
            self.text.setText("Stopping…")
            self.job.cancel()


class StagePage(Page):
    """A page with a job of its own that shows what the registry holds.

    What changes while the page is hidden is read when it is shown again, so that a job's end
    costs one page its time, not all of them.

    Attributes:
        variant: The current variant.
        strip: The progress of the page's job.
    """

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.variant: VariantRecord | None = None
        self.strip = JobStrip()
        self._stale = True

    def refresh(self) -> None:
        """Read the registry again and show what it holds."""
        raise NotImplementedError

    def refresh_soon(self) -> None:
        """Refresh now, or when the page is shown."""
        self._stale = not self.isVisible()
        if not self._stale:
            self.refresh()

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Show another current variant."""
        self.variant = variant
        self.refresh_soon()

    def on_event(self, event: object) -> None:
        """Follow the page's job, and notice changes of the registry."""
        self.strip.on_event(event)
        if isinstance(event, RegistryChanged):
            self.refresh_soon()

    def showEvent(self, event: QShowEvent) -> None:
        """Show the changes of the time in which the page was hidden."""
        super().showEvent(event)
        if self._stale:
            self.refresh_soon()


class StaleViews:
    """The views of a page that must read the registry again; each does when it is shown.

    Args:
        refreshers: The call that refreshes each view.
    """

    def __init__(
        self, stack: QStackedWidget, refreshers: Mapping[QWidget, Callable[[], object]]
    ) -> None:
        self._stack = stack
        self._refreshers = dict(refreshers)
        self._stale: set[QWidget] = set()
        stack.currentChanged.connect(lambda _: self._freshen())

    def lose(self) -> None:
        """The registry has changed."""
        self._stale = set(self._refreshers)
        self._freshen()

    def _freshen(self) -> None:
        view = self._stack.currentWidget()
        if view is not None and view in self._stale:
            self._stale.discard(view)
            self._refreshers[view]()


class Needs(PartStack):
    """A pane that shows its content, or a hint as long as something is missing."""

    def __init__(self, content: QWidget, hint: Hint) -> None:
        super().__init__(content, hint)

    def show_content(self, ready: bool) -> None:
        """Show the content, or the hint."""
        self.setCurrentIndex(0 if ready else 1)


def needs_model(content: QWidget, what: str, go: Callable[[str], object]) -> Needs:
    """Return a pane that needs an open model."""
    hint = Hint(
        f"No model to {what} yet",
        "Open a model or a sample on the Model page.",
        "Go to Model",
        lambda: go("model"),
    )
    return Needs(content, hint)


@dataclass(frozen=True, slots=True)
class StateRow:
    """A line of a plan: a state word with its tone, what it is about, and the detail."""

    state: str
    tone: str
    name: str
    text: str


class StateRows(QWidget):
    """Rows of state word, name and detail, separated by lines."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnMinimumWidth(0, 9 * GRID)
        self._grid.setColumnMinimumWidth(1, 12 * GRID)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(2, 1)
        self.rows: tuple[StateRow, ...] = ()

    def show_rows(self, rows: Iterable[StateRow]) -> None:
        """Replace all lines."""
        rows = tuple(rows)
        if rows == self.rows:
            return
        self.rows = rows
        clear(self._grid)
        top = Qt.AlignmentFlag.AlignTop
        for position, item in enumerate(rows):
            y = 2 * position
            if position:
                self._grid.addWidget(line(), y - 1, 0, 1, 3)
            state = label(item.state, "" if item.tone else "dim", tone=item.tone)
            text = label(breakable(item.text), "dim", wrap=True)
            text.setMinimumWidth(_TEXT_WIDTH)
            state.setAccessibleName(f"{item.name}: {item.state}. {item.text}")
            for x, cell in enumerate((state, label(item.name, wrap=True), text)):
                # All of a line, because selectable text sits a pixel higher than other text.
                cell.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                self._grid.addWidget(cell, y, x, top)


def part(values: Mapping[str, Any], *names: str) -> Any:
    """Return the first of several keys that has a value, None where none has."""
    for name in names:
        if values.get(name) is not None:
            return values[name]
    return None
