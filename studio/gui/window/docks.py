"""The docks of the window: the jobs of this session, the inspector, and their separators."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QMainWindow,
    QProxyStyle,
    QSizePolicy,
    QStackedWidget,
    QStyle,
    QStyleOption,
    QVBoxLayout,
    QWidget,
)

from studio.gui import figures, icons
from studio.gui.theme import Theming
from studio.gui.widgets.basics import (
    GRID,
    Disclosure,
    ElidedLabel,
    Hint,
    Pill,
    Scroll,
    button,
    clear,
    label,
    line,
    row,
)

if TYPE_CHECKING:
    from studio.workspace import RunningJob, Workspace

_SEPARATOR_WIDTH = 1
"""Pixels."""


class SeparatorStyle(QProxyStyle):
    """The style of the window itself, and of nothing in it: a thin line between two docks.

    A style sheet could say the same, but all that is in the window would have to look at it.
    """

    def __init__(self) -> None:
        super().__init__("fusion")

    def pixelMetric(
        self,
        metric: QStyle.PixelMetric,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
    ) -> int:
        """Return the line's width; for anything else the style's value."""
        if metric is QStyle.PixelMetric.PM_DockWidgetSeparatorExtent:
            return _SEPARATOR_WIDTH
        return super().pixelMetric(metric, option, widget)

    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        """The line in the colour of what it divides."""
        if element is QStyle.PrimitiveElement.PE_IndicatorDockWidgetResizeHandle:
            painter.fillRect(option.rect, option.palette.color(QPalette.ColorRole.Base))
        else:
            super().drawPrimitive(element, option, painter, widget)


SHOWN = 100
"""Older jobs of a long session are not listed."""

_TONES = {"succeeded": "good", "cancelled": "", "failed": "bad"}


class JobRow(QWidget):
    """A job: its state as a word, title, sentence, and its log behind a disclosure."""

    def __init__(self, job: RunningJob, again: Callable[[RunningJob], None]) -> None:
        super().__init__()
        self.job = job
        self.retell = button("Show as pipeline", lambda: again(job), "link")
        self.retell.setAccessibleName(f"Show {job.title} as pipeline")
        self.retell.hide()
        self.pill = Pill("")
        self.pill.setFixedWidth(96)
        self.sentence = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.sentence.setProperty("role", "dim")
        self.time = label("", "dim")
        self.cancel = button("Cancel", job.cancel, "link")
        self.cancel.setAccessibleName(f"Cancel {job.title}")
        self.log = Disclosure("Log")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 4, 2 * GRID, 4)
        layout.setSpacing(2)
        layout.addLayout(
            row(
                self.pill,
                label(job.title, "strong"),
                self.sentence,
                self.time,
                self.retell,
                self.cancel,
            )
        )
        layout.addWidget(self.log)
        self.refresh()

    def refresh(self) -> None:
        """Show how the job stands."""
        outcome = self.job.outcome
        self.cancel.setVisible(outcome is None)
        if outcome is None:
            self.pill.show_state("running", "accent")
            self.sentence.setText(self.job.state.text)
            self.log.hide()
            return
        self.pill.show_state(outcome.end.value, _TONES.get(outcome.end.value, "warning"))
        self.sentence.setText("" if outcome.ok else f"{outcome.sentence} {outcome.hint}".strip())
        self.time.setText(figures.seconds(outcome.seconds))
        text = "\n".join([*self.job.log[-200:], outcome.detail]).strip()
        self.log.show_text(text)
        self.log.setVisible(bool(text))
        self.setAccessibleName(f"{self.job.title}: {outcome.end.value}. {outcome.sentence}")


class JobsDock(QDockWidget):
    """The dock of jobs at the bottom, above the job bar.

    Signals:
        retold: The number in the history of what is wanted as a pipeline.
    """

    retold = Signal(int)

    def __init__(self, workspace: Workspace, theming: Theming) -> None:
        super().__init__("Jobs")
        self._workspace = workspace
        self._theming = theming
        self._rows: dict[str, JobRow] = {}
        self.setObjectName("jobs")
        self.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetClosable)
        self._close = button("", self.hide, "quiet")
        self._close.setAccessibleName("Close the list of jobs")
        self.setTitleBarWidget(self._title())
        self._list = Scroll(margin=0, spacing=0)
        self._list.body.addStretch(1)
        self._stack = QStackedWidget()
        self._stack.setProperty("role", "dock")
        self._stack.addWidget(Hint("No jobs yet", "Jobs and their results appear here."))
        self._stack.addWidget(self._list)
        self._stack.setMinimumHeight(160)
        self.setWidget(self._stack)
        theming.changed.connect(self.dress)
        self.dress()

    def refresh(self, job: RunningJob | None = None) -> None:
        """Refresh one job, or all."""
        if job is not None and job.id in self._rows:
            self._refresh(self._rows[job.id])
            return
        clear(self._list.body)
        self._rows = {each.id: JobRow(each, self._retell) for each in self._workspace.jobs[-SHOWN:]}
        for each in reversed(self._rows.values()):
            self._refresh(each)
            self._list.body.addWidget(each)
            self._list.body.addWidget(line())
        self._list.body.addStretch(1)
        self._stack.setCurrentIndex(1 if self._rows else 0)

    def _refresh(self, each: JobRow) -> None:
        each.refresh()
        each.retell.setVisible(bool(self._workspace.action_of(each.job)))

    def _retell(self, job: RunningJob) -> None:
        self.retold.emit(self._workspace.action_of(job))

    def dress(self) -> None:
        """Set the icon in the theme's colour."""
        self._close.setIcon(icons.icon("close", self._theming.current.color("dim"), 16))

    def _title(self) -> QFrame:
        title = QFrame()
        title.setProperty("role", "docktitle")
        layout = row(label("Jobs", "section"), None, self._close)
        layout.setContentsMargins(2 * GRID, 4, GRID, 4)
        title.setLayout(layout)
        return title


WIDTH = 312


class InspectorDock(QDockWidget):
    """The dock of a page's inspector, hidden on pages without one.

    Attributes:
        wanted: Whether the user wants to see inspectors at all.
    """

    def __init__(self) -> None:
        super().__init__("Inspector")
        self.wanted = True
        self._content: QWidget | None = None
        self._is_sized = False
        self.setObjectName("inspector")
        self.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        self.setTitleBarWidget(QWidget())
        self._stack = QStackedWidget()
        self._stack.setProperty("role", "dock")
        self._stack.setProperty("side", "right")
        self._stack.setMinimumWidth(WIDTH)
        self._stack.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._stack.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWidget(self._stack)
        self.hide()

    def show_content(self, content: QWidget | None) -> None:
        """Show a page's inspector; None hides the dock."""
        self._content = content
        if content is not None:
            if self._stack.indexOf(content) < 0:
                self._stack.addWidget(content)
            self._stack.setCurrentWidget(content)
        self.setVisible(content is not None and self.wanted)
        self._set_first_width()

    def has_content(self) -> bool:
        """Return whether the page has something to inspect."""
        return self._content is not None

    def toggle(self) -> None:
        """Show or hide it, on this page and on the others."""
        self.wanted = not self.wanted
        self.setVisible(self.has_content() and self.wanted)
        self._set_first_width()

    def _set_first_width(self) -> None:
        """Start narrow; from then on the width is the user's."""
        window = self.parentWidget()
        if not self._is_sized and self.isVisible() and isinstance(window, QMainWindow):
            self._is_sized = True
            window.resizeDocks([self], [WIDTH], Qt.Orientation.Horizontal)
