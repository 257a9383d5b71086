"""Small building blocks that every page shares: cards, pills, segmented switches, hints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from studio.api.qt import plain_tip

GRID = 8
ROW_HEIGHT = 32
TEXT_MARGIN = 3
"""What the style leaves between the padding of a table's cell and its text."""


def restyle(widget: QWidget, **properties: object) -> None:
    """Set dynamic properties; the style sheet looks again, which takes a while, at new ones."""
    if any(widget.property(name) != value for name, value in properties.items()):
        for name, value in properties.items():
            widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def label(text: str, role: str = "", *, tone: str = "", wrap: bool = False) -> QLabel:
    """Return a plain-text label.

    Args:
        text: Shown as it is; markup in it is not interpreted.
        role: ``title``, ``heading``, ``section``, ``strong``, ``dim``, ``small``, ``mono``.
        tone: ``good``, ``warning``, ``bad`` or ``accent``.
        wrap: Break long text into lines.
    """
    result = QLabel()
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setText(text)
    result.setWordWrap(wrap)
    if role:
        result.setProperty("role", role)
    if tone:
        result.setProperty("tone", tone)
    if wrap:
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        result.setSizePolicy(policy)
    return result


def button(text: str, clicked: Callable[[], object] | None = None, kind: str = "") -> QPushButton:
    """Return a push button; kind is ``primary``, ``danger``, ``link``, ``quiet`` or empty."""
    result = QPushButton(text)
    result.setAccessibleName(text)
    if kind:
        result.setProperty("kind", kind)
    if clicked is not None:
        result.clicked.connect(lambda _checked=False: clicked())
    return result


def set_enabled(widget: QWidget, reason: str = "") -> None:
    """Enable a widget, or disable it with the reason as its tooltip and description."""
    widget.setEnabled(not reason)
    widget.setToolTip(plain_tip(reason))
    widget.setAccessibleDescription(reason)


def line() -> QFrame:
    """Return a quiet horizontal line."""
    result = QFrame()
    result.setProperty("role", "line")
    return result


def row(*items: QWidget | QLayout | int | None, spacing: int = GRID) -> QHBoxLayout:
    """Widgets from left to right; an int is a fixed space, None takes the room that is left."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(item)
        elif isinstance(item, QLayout):
            layout.addLayout(item)
        else:
            layout.addWidget(item)
    return layout


def clear(layout: QLayout) -> None:
    """Remove all items from a layout, and delete their widgets."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            # Hidden, not orphaned: one that was just added still has a call waiting that shows it,
            # and without a parent it would be shown as a window of its own.
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)


class ElidedLabel(QLabel):
    """A label that shortens its text with an ellipsis and shows the whole as its tooltip."""

    def __init__(
        self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle
    ) -> None:
        super().__init__()
        self._full = text
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(24)
        self._elide()

    def setText(self, text: str) -> None:
        """Show another text."""
        self._full = text
        self._elide()

    def full_text(self) -> str:
        """Return the text before it was shortened."""
        return self._full

    def sizeHint(self) -> QSize:
        """Wide enough for the whole text."""
        hint = super().sizeHint()
        hint.setWidth(QFontMetrics(self.font()).horizontalAdvance(self._full) + 2)
        return hint

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten again for the new width."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        metrics = QFontMetrics(self.font())
        shown = metrics.elidedText(self._full, self._mode, max(self.width(), 24))
        super().setText(shown)
        self.setToolTip(plain_tip(self._full) if shown != self._full else "")
        self.setAccessibleName(self._full)


class Pill(QLabel):
    """A state as a word in a rounded frame; tone is ``good``, ``warning``, ``bad``, ``accent``."""

    def __init__(self, text: str, tone: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "pill")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.show_state(text, tone)

    @property
    def state(self) -> tuple[str, str]:
        """The word and its tone."""
        return self.text(), str(self.property("tone") or "")

    def show_state(self, text: str, tone: str = "") -> None:
        """Show another state."""
        self.setText(text)
        restyle(self, tone=tone)


class Segmented(QFrame):
    """A row of exclusive choices.

    Signals:
        changed: Index of the new choice.
    """

    changed = Signal(int)

    def __init__(self, titles: Sequence[str] = (), name: str = "View") -> None:
        super().__init__()
        self.setProperty("role", "segmented")
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._group = QButtonGroup(self)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._group.idClicked.connect(self.changed)
        for title in titles:
            self.add(title)

    def add(self, title: str) -> QPushButton:
        """Add a choice; the first one is taken."""
        result = button(title)
        result.setCheckable(True)
        self._group.addButton(result, len(self._group.buttons()))
        self._layout.addWidget(result)
        result.setChecked(len(self._group.buttons()) == 1)
        return result

    def index(self) -> int:
        """Return the current choice, -1 without one."""
        return self._group.checkedId()

    def set_index(self, index: int) -> None:
        """Select a choice, and signal a change."""
        if index != self.index():
            self._group.button(index).setChecked(True)
            self.changed.emit(index)

    def choose(self, index: int) -> None:
        """Select a choice without a signal."""
        self._group.button(index).setChecked(True)

    def choose_none(self) -> None:
        """Clear the choice without a signal."""
        self._group.setExclusive(False)
        for item in self._group.buttons():
            item.setChecked(False)
        self._group.setExclusive(True)

    def count(self) -> int:
        """Return how many choices there are."""
        return len(self._group.buttons())


class Card(QFrame):
    """A framed group with a heading. Add content to ``body``."""

    def __init__(self, title: str = "", note: str = "") -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(2 * GRID, 2 * GRID - 2, 2 * GRID, 2 * GRID)
        self.body.setSpacing(GRID)
        self.heading = label(title, "section")
        self.note = label(note, "dim", wrap=True)
        self.body.addWidget(self.heading)
        self.body.addWidget(self.note)
        # Only behind addWidget: what has no parent yet would flash as a window of its own.
        self.heading.setVisible(bool(title))
        self.note.setVisible(bool(note))
        self.setAccessibleName(title)


class FieldList(QWidget):
    """Names at the left, values at the right, a pair a line; values can be selected and copied."""

    def __init__(self, fields: Iterable[Sequence[str]] = (), name_width: int = 120) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnMinimumWidth(0, name_width)
        self._grid.setColumnStretch(1, 1)
        self._fields: list[tuple[str, ...]] = []
        self.show_fields(fields)

    def show_fields(self, fields: Iterable[Sequence[str]]) -> None:
        """Show other pairs; a third member is the value's tone. The same pairs stay."""
        before, self._fields = self._fields, [tuple(field) for field in fields]
        if self._fields == before:
            return
        clear(self._grid)
        for position, (name, value, *tone) in enumerate(self._fields):
            title = label(name, "dim")
            text = label(value, tone=tone[0] if tone else "", wrap=True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            text.setAccessibleName(f"{name}: {value}")
            text.setContentsMargins(0, 1, 0, 0)  # selectable text sits a pixel higher than plain
            self._grid.addWidget(title, position, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(text, position, 1, Qt.AlignmentFlag.AlignTop)


class Hint(QWidget):
    """The empty state of a pane: its purpose, the first action, and a button for it."""

    def __init__(
        self,
        title: str,
        text: str = "",
        action: str = "",
        clicked: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * GRID, 4 * GRID, 4 * GRID, 4 * GRID)
        layout.setSpacing(GRID)
        layout.addStretch(1)
        self.title = label(title, "heading")
        self.text = label(text, "dim", wrap=True)
        for item in (self.title, self.text):
            item.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(item)
        self.text.setVisible(bool(text))
        if action:
            self.button = button(action, clicked)
            layout.addSpacing(GRID)
            layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)


class _Column(QWidget):
    """What scrolls; as high as its texts are at the width that it really has.

    Qt would ask for the height that wrapped texts have at their least width, and scroll over room
    that stays empty.
    """

    def minimumSizeHint(self) -> QSize:
        hint, layout = super().minimumSizeHint(), self.layout()
        if layout is not None and layout.hasHeightForWidth():
            hint.setHeight(0)  # heightForWidth decides
        return hint

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        return layout.minimumHeightForWidth(width) if layout is not None else -1


class Scroll(QScrollArea):
    """A vertically scrolling column. Add content to ``body``; a stretch keeps it at the top."""

    def __init__(self, margin: int = 2 * GRID, spacing: int = 2 * GRID) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inner = _Column()
        inner.setProperty("role", "scrolled")
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(margin, margin, margin, margin)
        self.body.setSpacing(spacing)
        self.setWidget(inner)


class Disclosure(QWidget):
    """Detail that is shown on demand, as selectable text."""

    def __init__(self, title: str, text: str = "") -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self._title = title
        self.toggle = button(f"▸ {title}", self._flip, "link")
        self.toggle.setCheckable(True)
        self.toggle.setAccessibleName(title)
        self.toggle.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.content = label(text, "mono", wrap=True)
        self.content.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        layout.addWidget(self.toggle)
        layout.addWidget(self.content)
        self.content.hide()

    def show_text(self, text: str) -> None:
        """Replace the detail and close it."""
        self.content.setText(text)
        self.toggle.setChecked(False)
        self._flip()

    def _flip(self) -> None:
        is_open = self.toggle.isChecked()
        self.toggle.setText(f"{'▾' if is_open else '▸'} {self._title}")
        self.content.setVisible(is_open)


class Dot(QWidget):
    """A round state mark in a theme's colour; always used next to a word or with a name."""

    def __init__(self, color: Callable[[], QColor], diameter: int = GRID) -> None:
        super().__init__()
        self._color = color
        self.setFixedSize(diameter, diameter)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the dot."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color())
        painter.drawEllipse(self.rect())
