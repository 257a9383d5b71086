"""Toasts: messages over the page that move nothing and take no click meant for what is below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from studio.gui import icons
from studio.gui.shell import MessageAction
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, button, label, restyle, row
from studio.gui.widgets.right_edge import at_right_edge

if TYPE_CHECKING:
    from studio.workspace import JobOutcome

QUIET_MS = 8000
"""A message that asks for nothing goes away after this time; an error stays."""

GUARD_MS = 500
"""A new toast lets clicks through for this long: the hand was on its way to what is below."""

MOST = 3
WIDTH = 360
LEAST_ROOM = 240
"""Pixels that a message takes where a sheet or panel leaves less."""

_MARGIN = 2 * GRID
_DETAIL_HEIGHT = 132
_MOVES = (QEvent.Type.Resize, QEvent.Type.LayoutRequest)
_WORDS = {"good": "Done", "warning": "Note", "bad": "Problem", "": "Note"}


class Toast(QFrame):
    """One message: a sentence, what to do, an action, and the detail on demand.

    Signals:
        closed: The user or the clock has closed it.
        resized: It needs another height.

    Attributes:
        about: What has failed (the entry of a job); empty where no success makes it old.
    """

    closed = Signal()
    resized = Signal()

    def __init__(self, theming: Theming, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.about = ""
        self.action: MessageAction | None = None
        self._theming = theming
        self.setProperty("role", "toast")
        self.sentence = label("", "strong", wrap=True)
        self.hint = label("", "dim", wrap=True)
        self.hint.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.act = button("", self._run_action, "link")
        self.details = button("Details", self._flip, "link")
        self.detail = QPlainTextEdit()
        self.detail.setReadOnly(True)
        self.detail.setProperty("role", "mono")
        self.detail.setAccessibleName("Details")
        self.detail.setFixedHeight(_DETAIL_HEIGHT)
        self.dismiss = button("", self.close_message, "quiet")
        self.dismiss.setAccessibleName("Close message")
        self.dismiss.setToolTip("Close message (Esc)")
        self._lay_out()
        self._timer = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._timer.timeout.connect(self.close_message)
        self._guard = QTimer(self, singleShot=True, interval=GUARD_MS)
        self._guard.timeout.connect(self._admit_clicks)
        theming.changed.connect(self._dress)
        self._dress()

    def _lay_out(self) -> None:
        top = row(self.sentence, spacing=GRID)
        top.setStretch(0, 1)
        top.addWidget(self.dismiss, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN - 4, GRID, GRID, GRID)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.hint)
        layout.addLayout(row(self.act, self.details, None))
        layout.addWidget(self.detail)

    def show_message(
        self,
        sentence: str,
        tone: str = "",
        hint: str = "",
        detail: str = "",
        about: str = "",
        action: MessageAction | None = None,
    ) -> None:
        """Show a message.

        Args:
            tone: ``bad`` and ``warning`` stay until they are closed; others leave by themselves.
            detail: Native messages and paths, shown on demand.
            about: What has failed; when it has succeeded since, the message goes away.
        """
        self.about, self.action = about, action
        restyle(self, tone=tone)
        self.sentence.setText(sentence)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.act.setText(action.text if action else "")
        self.act.setVisible(action is not None)
        self.detail.setPlainText(detail.strip())
        self.detail.hide()
        self.details.setVisible(bool(detail.strip()))
        self.setAccessibleName(f"{_WORDS.get(tone, 'Note')}: {sentence} {hint}".strip())
        self._timer.stop()
        if tone not in ("bad", "warning"):
            self._timer.start()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._guard.start()
        self.show()
        # Its enumerations take 2 ms to make, which the first paint would wait for.
        from PySide6.QtGui import QAccessible, QAccessibleEvent

        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def close_message(self) -> None:
        """Hide the message."""
        self._timer.stop()
        self.about = ""
        self.hide()
        self.closed.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._timer.stop()  # it is being read

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if self.isVisible() and self.property("tone") not in ("bad", "warning"):
            self._timer.start()

    def _admit_clicks(self) -> None:
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, False)

    def _run_action(self) -> None:
        action = self.action
        self.close_message()
        if action is not None:
            action.run()

    def _flip(self) -> None:
        self.detail.setVisible(self.detail.isHidden())
        self._timer.stop()
        self.resized.emit()

    def _dress(self) -> None:
        self.dismiss.setIcon(icons.icon("close", self._theming.current.color("dim"), 16))


class Toasts(QObject):
    """The toasts of a window: at most three, the newest at the bottom right of an area."""

    def __init__(self, theming: Theming, area: QWidget) -> None:
        super().__init__(area)
        self._theming = theming
        self._area = area
        self._all: list[Toast] = []
        area.installEventFilter(self)

    @property
    def shown(self) -> list[Toast]:
        """The messages that are shown, the newest first."""
        return [toast for toast in self._all if not toast.isHidden()]

    @property
    def texts(self) -> str:
        """The sentences that are shown, the newest first, a line each."""
        return "\n".join(toast.sentence.text() for toast in self.shown)

    def show_message(
        self,
        sentence: str,
        tone: str = "",
        hint: str = "",
        detail: str = "",
        about: str = "",
        action: MessageAction | None = None,
    ) -> Toast:
        """Show a message; it takes the place of one that it repeats, alone or with more."""
        same = next((one for one in self.shown if one.sentence.text() in sentence), None)
        toast = same or self._free()
        self._all.remove(toast)
        self._all.insert(0, toast)
        toast.show_message(sentence, tone, hint, detail, about, action)
        self.place()
        return toast

    def show_end(self, outcome: JobOutcome, about: str) -> None:
        """Show why a job failed, or dismiss the message of its earlier failure."""
        if outcome.ok:
            self.solved(about)
        elif outcome.end.value != "cancelled":  # the user knows
            self.show_message(outcome.sentence, "bad", outcome.hint, outcome.detail, about)

    def solved(self, about: str) -> None:
        """Close the messages about a cause that has ended."""
        for toast in self.shown:
            if toast.about and toast.about == about:
                toast.close_message()

    def close_message(self) -> bool:
        """Close the newest message; False without one."""
        for toast in self.shown[:1]:
            toast.close_message()
            return True
        return False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._area and event.type() in _MOVES:
            self.place()
        return False

    def _free(self) -> Toast:
        """Return a toast without a message: a hidden one, a new one, or the oldest."""
        hidden = [toast for toast in self._all if toast.isHidden()]
        if hidden:
            return hidden[0]
        if len(self._all) == MOST:
            return self._all[-1]
        toast = Toast(self._theming, self._area)
        toast.hide()
        toast.closed.connect(self.place)
        toast.resized.connect(self.place)
        self._theming.dress(toast)
        self._all.append(toast)
        return toast

    def place(self) -> None:
        """Stack them above the lower edge; what would not fit above it stays at the upper edge."""
        shown = self.shown
        if not shown:
            return
        bottom, room = self._area.height() - _MARGIN, self._room()
        width = min(WIDTH, room - 2 * _MARGIN)
        for toast in shown:
            toast.setFixedWidth(width)
            layout = toast.layout()
            height = layout.totalHeightForWidth(width) if layout is not None else 0
            toast.resize(width, max(height, toast.minimumSizeHint().height()))
            bottom = max(bottom - toast.height(), 0)
            toast.move(room - width - _MARGIN, bottom)
            toast.raise_()
            bottom -= GRID

    def _room(self) -> int:
        """Return the width left of an open sheet or panel, which a message must not cover."""
        area, corner = self._area, QPoint(0, 0)
        edges = [one.mapTo(area.window(), corner).x() for one in at_right_edge(area.window())]
        left = area.mapTo(area.window(), corner).x()
        return min((max(edge - left, LEAST_ROOM) for edge in edges), default=area.width())
