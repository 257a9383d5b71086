"""The overlay while files are dragged over the window: it names what the drop will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from studio.gui import figures, icons
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, label, restyle

_WIDTH = 520
_MARGIN = 3 * GRID
_MOST_SUFFIXES = 4
_DIMMED = 0.72


def outcome_of(paths: Sequence[Path], suffixes: Sequence[str]) -> tuple[str, str, bool]:
    """Return what a drop would do: a title, a sentence, and whether it opens something.

    Args:
        suffixes: How files of models end.
    """
    models = [path for path in paths if path.name.lower().endswith(tuple(suffixes))]
    others = [path for path in paths if path not in models]
    if not models:
        names = figures.count(len(others), "file") if len(others) > 1 else others[0].name
        known = ", ".join(suffixes[:_MOST_SUFFIXES])
        return f"Not a model: {names}", f"Models end in {known}.", False
    title = f"Open {len(models)} models" if len(models) > 1 else f"Open {models[0].name}"
    text = "It is checked in a sandbox and stays on this computer."
    if len(models) > 1:
        text = "They are checked in a sandbox and stay on this computer."
    if others:
        rest = others[0].name if len(others) == 1 else figures.count(len(others), "file")
        text = f"Not a model, and not opened: {rest}."
    return title, text, True


class DropOverlay(QFrame):
    """The overlay over the whole window; it lets the drag through to what is below.

    Args:
        suffixes: Returns how files of models end.
    """

    def __init__(
        self, theming: Theming, parent: QWidget, suffixes: Callable[[], Sequence[str]]
    ) -> None:
        super().__init__(parent)
        self._theming, self._suffixes = theming, suffixes
        self.setProperty("role", "overlay")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._icon = QLabel()
        self.title = label("", "title", wrap=True)
        self.text = label("", "dim", wrap=True)
        self.card = QFrame()
        self.card.setProperty("role", "drop")
        self.card.setFixedWidth(_WIDTH)
        inner = QVBoxLayout(self.card)
        inner.setContentsMargins(4 * GRID, 5 * GRID, 4 * GRID, 5 * GRID)
        inner.setSpacing(GRID)
        for item in (self._icon, self.title, self.text):
            item.setAlignment(Qt.AlignmentFlag.AlignCenter)
            inner.addWidget(item)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.addWidget(self.card, 0, Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def show_drag(self, paths: Sequence[Path]) -> None:
        """Name what a drop of files would do; without files the drag has ended."""
        if paths:
            self.show_outcome(*outcome_of(paths, self._suffixes()))
        else:
            self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Dim what is below."""
        ground = self._theming.current.color("background")
        ground.setAlphaF(_DIMMED)
        QPainter(self).fillRect(self.rect(), ground)

    def show_outcome(self, title: str, text: str, accepted: bool) -> None:
        """Name what a drop would do."""
        self._theming.dress(self)
        self.title.setText(title)
        self.text.setText(text)
        self.setAccessibleName(f"{title}. {text}")
        restyle(self.card, lit=accepted)
        color = self._theming.current.color("accent" if accepted else "warning")
        name = "drop" if accepted else "close"
        self._icon.setPixmap(icons.pixmap(name, color, 32, self.devicePixelRatioF()))
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()
