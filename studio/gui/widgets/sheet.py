"""A sheet over a page: steps at the top, content that scrolls, a footer with buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QStackedWidget, QVBoxLayout, QWidget
from shiboken6 import isValid

from studio.gui import icons
from studio.gui.theme import Theming
from studio.gui.widgets.basics import (
    GRID,
    ElidedLabel,
    Scroll,
    button,
    label,
    line,
    restyle,
    row,
    set_enabled,
)
from studio.gui.widgets.right_edge import take_right_edge

WIDTH = 512
_MARGIN = 20
_VEIL = 150
"""Opacity of the veil over the page, of 255."""


class StepBar(QWidget):
    """The steps of a sheet: a number for each, a check mark behind those that are done."""

    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__()
        self._titles = tuple(titles)
        self._marks: list[QLabel] = []
        self._names: list[QLabel] = []
        layout = row()
        for number, title in enumerate(titles):
            if number:
                layout.addWidget(line(), 1)
            mark, name = label(str(number + 1), "step"), label(title, "dim")
            mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._marks.append(mark)
            self._names.append(name)
            layout.addWidget(mark)
            layout.addWidget(name)
        self.setLayout(layout)

    def show_step(self, current: int) -> None:
        """Show which step is the current one."""
        for number, (mark, name) in enumerate(zip(self._marks, self._names, strict=True)):
            state = "done" if number < current else "now" if number == current else ""
            mark.setText("✓" if state == "done" else str(number + 1))
            restyle(mark, state=state)
            restyle(name, role="strong" if state == "now" else "dim")
        of = f"Step {current + 1} of {len(self._titles)}: {self._titles[current]}"
        self.setAccessibleName(of)


_PASSES = 3
"""Widths, heights, and the size of what scrolls."""


class Sheet(QWidget):
    """A sheet over a page; while it is open, nothing behind it takes clicks or the keyboard.

    Signals:
        closed: It was closed, by its button or by Escape.

    Attributes:
        stack: The contents, one for each step.
        back, primary: The buttons of the footer.
        footer: Layout for more of the footer, between them.
    """

    closed = Signal()

    def __init__(self, page: QWidget, theming: Theming, steps: Sequence[str]) -> None:
        super().__init__(page)
        self._theming = theming
        self._page = page
        self._opener: QWidget | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.panel = QFrame(self)
        self.panel.setProperty("role", "sheet")
        take_right_edge(self.panel)
        self.title = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.title.setProperty("role", "heading")
        self.steps = StepBar(steps)
        self.stack = QStackedWidget()
        self.back = button("Back")
        self.primary = button("Next", kind="primary")
        self.footer = row()
        self._close_button = button("", self.close_sheet, "quiet")
        self._close_button.setAccessibleName("Close")
        self._close_button.setToolTip("Close (Esc)")
        self._lay_out()
        page.installEventFilter(self)
        theming.changed.connect(self._draw)
        self._draw()
        self.hide()

    def _lay_out(self) -> None:
        head, foot = QFrame(), QFrame()
        head.setProperty("role", "sheethead")
        foot.setProperty("role", "sheetbar")
        top = QVBoxLayout(head)
        top.setContentsMargins(_MARGIN, GRID, _MARGIN, 12)
        top.setSpacing(GRID)
        title = row(self.title, self._close_button)
        title.setStretch(0, 1)
        top.addLayout(title)
        top.addWidget(self.steps)
        bottom = row(self.back, self.footer, None, self.primary)
        bottom.setContentsMargins(_MARGIN, 12, _MARGIN, 12)
        foot.setLayout(bottom)
        column = QVBoxLayout(self.panel)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addWidget(self.stack, 1)
        column.addWidget(foot)

    def add_step(self, content: QWidget) -> None:
        """Add the content of the next step; it scrolls where it is higher than the sheet."""
        scroll = Scroll(margin=_MARGIN)
        scroll.body.addWidget(content)
        scroll.body.addStretch(1)
        self.stack.addWidget(scroll)

    def open_sheet(self) -> None:
        """Show it over the page, with the keyboard."""
        self._opener = QApplication.focusWidget()
        self._theming.dress_shown(self)
        self._place()
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._page.updateGeometry()  # messages over the page make room
        QTimer.singleShot(0, self.take_focus)

    def close_sheet(self) -> None:
        """Close it; the keyboard goes back to where it was."""
        if not self.isHidden():
            self.setFocus(Qt.FocusReason.OtherFocusReason)  # else hiding passes it to any neighbour
            self.hide()
            self._page.updateGeometry()
            self.closed.emit()
            opener, self._opener = self._opener, None
            if opener is not None and isValid(opener) and opener.isVisible():
                opener.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_step(self, number: int) -> None:
        """Show another step."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.stack.setCurrentIndex(number)
        self.steps.show_step(number)
        QTimer.singleShot(0, self.take_focus)

    @staticmethod
    def settle() -> None:
        """Lay out what was just added before it is painted.

        Wrapped texts know their heights only once they have their widths: else the first picture
        shows them squashed.
        """
        for _ in range(_PASSES):
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)

    def explain_primary(self, text: str, reason: str) -> None:
        """Name the primary button, and enable it, or disable it with the reason."""
        if reason and self.primary.hasFocus():
            self.setFocus(Qt.FocusReason.OtherFocusReason)  # else it would go to what comes next
        self.primary.setText(text)
        self.primary.setAccessibleName(text)
        set_enabled(self.primary, reason)
        self.take_focus()

    def take_focus(self) -> None:
        """Put the keyboard on the primary button where nothing else of the sheet has it."""
        focus = QApplication.focusWidget()
        inside = focus is not None and self.isAncestorOf(focus)
        if self.isVisible() and not inside and self.primary.isEnabled():
            self.primary.setFocus(Qt.FocusReason.OtherFocusReason)

    def focusNextPrevChild(self, next: bool) -> bool:
        """Keep the Tab key within the sheet."""
        focus = QApplication.focusWidget() or self
        found = focus.nextInFocusChain() if next else focus.previousInFocusChain()
        while found is not None and found is not focus:
            if self.isAncestorOf(found) and _takes_tab(found):
                reason = Qt.FocusReason.TabFocusReason
                found.setFocus(reason if next else Qt.FocusReason.BacktabFocusReason)
                return True
            found = found.nextInFocusChain() if next else found.previousInFocusChain()
        return False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the page."""
        if watched is self._page and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes the sheet; every other key ends here."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_sheet()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.primary.isEnabled():
            self.primary.click()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the click that was meant for what is behind."""
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Take it as well."""
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Keep the page behind from scrolling."""
        event.accept()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the veil over the page."""
        color = self._theming.current.color("background")
        color.setAlpha(_VEIL)
        QPainter(self).fillRect(self.rect(), color)

    def _place(self) -> None:
        size = self._page.size()
        self.setGeometry(QRect(0, 0, size.width(), size.height()))
        width = min(WIDTH, size.width())
        self.panel.setGeometry(size.width() - width, 0, width, size.height())

    def _draw(self) -> None:
        color = self._theming.current.color("dim")
        self._close_button.setIcon(icons.icon("close", color, 16))
        self.update()


def _takes_tab(widget: QWidget) -> bool:
    return (
        widget.isVisible()
        and widget.isEnabled()
        and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    )
