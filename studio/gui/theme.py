"""The window's colours: tokens read from a theme file, and what Qt makes of them."""

from __future__ import annotations

import functools
import time
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Template

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QScrollBar, QWidget
from shiboken6 import isValid

from studio.gui.pieces import PartWatch, pieces
from studio.settings import resource

SYSTEM, DARK, LIGHT = "system", "dark", "light"
BASE_SIZE = 13
_IDLE_MS = 20
_TURN_S = 0.012
"""Of a turn of the event loop that dresses; the last piece may take as long once more."""


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours.

    Attributes:
        colors: ``#rrggbb`` by token: background, surface, surface_2, surface_3, border,
            border_strong, text, dim, accent, accent_ground, accent_fill, accent_text, on_fill,
            good, warning, bad and the ``*_text`` of each, idle.
            Of bars: on_bar, and ``op_*`` for each family of operators.
        graph: ``#rrggbb`` by token of the graph canvas: ink, edge, and one for each family.
    """

    name: str
    dark: bool
    colors: Mapping[str, str]
    graph: Mapping[str, str]

    def color(self, token: str) -> QColor:
        """Return the colour of a token, for painting."""
        return QColor(self.colors[token])

    def graph_color(self, token: str) -> QColor:
        """Return the colour of a token of the graph canvas, for painting."""
        return QColor(self.graph[token])

    def style_sheet(self) -> str:
        """Return the style sheet of every part of the window."""
        return Template(_sheet()).substitute(self.colors)

    def bar_style_sheet(self) -> str:
        """Return of the style sheet what a scroll bar needs: to read all of it takes long."""
        rules = (line for line in _sheet().splitlines() if line.startswith("QScrollBar"))
        return Template("\n".join(rules)).substitute(self.colors)

    def palette(self) -> QPalette:
        """Return the palette for everything that the style sheet leaves to the style."""
        role = QPalette.ColorRole
        tokens = {
            role.Window: "background",
            role.WindowText: "text",
            role.Base: "surface",
            role.AlternateBase: "surface_2",
            role.Text: "text",
            role.PlaceholderText: "dim",
            role.Button: "surface_2",
            role.ButtonText: "text",
            role.BrightText: "on_fill",
            role.ToolTipBase: "surface_3",
            role.ToolTipText: "text",
            role.Highlight: "accent_fill",
            role.HighlightedText: "on_fill",
            role.Link: "accent_text",
            role.LinkVisited: "accent_text",
            role.Accent: "accent",
            role.Light: "surface_3",
            role.Midlight: "surface_2",
            role.Mid: "border",
            role.Dark: "border_strong",
            role.Shadow: "border",
        }
        palette = QPalette()
        for target, token in tokens.items():
            palette.setColor(target, self.color(token))
        for target in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, target, self.color("dim"))
        return palette


@functools.cache
def _sheet() -> str:
    return resource("themes", "window.qss").read_text(encoding="utf-8")


@functools.cache
def load(name: str) -> Theme:
    """Read ``resources/themes/<name>.toml``."""
    text = resource("themes", f"{name}.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    return Theme(data["name"], data["dark"], data["colors"], data["graph"])


def system_prefers_dark() -> bool:
    """Return whether the desktop asks for dark windows; dark where it does not say."""
    return QGuiApplication.styleHints().colorScheme() is not Qt.ColorScheme.Light


class Theming(QObject):
    """The theme in force, applied to each part of the window.

    The application has no style sheet: with one, whatever gets a parent is styled again together
    with all that it holds, and a page that is built from the inside out takes five times as long.
    Instead each part of the window wears the sheet, in pieces of at most a hundred widgets where
    it is large. Pieces that are seen come first. A window in which more is to be dressed than fits
    into one turn of the event loop is not painted until all that is seen in it is dressed.

    Attributes:
        choice: ``system``, ``dark`` or ``light``.
        current: The theme in force.

    Signals:
        changed: The theme in force is another one, and what is seen wears it; whatever paints
            itself repaints.
    """

    changed = Signal()

    def __init__(self, choice: str = SYSTEM, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.choice = choice
        self.current = self._resolve()
        self._is_announced = True
        self._parts: dict[QWidget, list[QWidget]] = {}
        self._worn: dict[QWidget, Theme | None] = {}
        self._held: list[QWidget] = []
        self._watch = PartWatch(self._dress_child, self._piece_shown, self)
        self._turn = QTimer(self, singleShot=True)
        self._turn.timeout.connect(self._dress_some)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    def choose(self, choice: str) -> None:
        """Set ``system``, ``dark`` or ``light``, and apply it."""
        self.choice = choice
        self._switch(self._resolve())

    def apply(self) -> None:
        """Dress the application at its start."""
        QGuiApplication.setPalette(self.current.palette())

    def dress(self, part: QWidget) -> None:
        """Dress a part of the window, now and at each change; a second call does nothing."""
        self._know(part)
        for piece in self._left([part]):
            self._put_on(piece)

    def dress_soon(self, part: QWidget) -> None:
        """Dress a part that is not seen yet, in idle turns; ``dress`` it before it is shown."""
        self._know(part)
        self._turn.start(_IDLE_MS)

    def dress_shown(self, parts: Iterable[QWidget]) -> None:
        """Dress parts that are being shown: what one turn has no time for, before they are painted.

        They must be visible when control returns to the event loop.
        """
        shown = list(parts)
        for part in shown:
            self._know(part)
        left = self._left(shown)
        self._dress_within_turn(left)
        if any(self._worn[piece] is not self.current for piece in left):
            self._hold({piece.window() for piece in left})
            self._turn.start(0)

    def is_dressed(self, part: QWidget) -> bool:
        """Return whether all of a part wears the theme in force."""
        return part in self._parts and not self._left([part])

    def _know(self, part: QWidget) -> None:
        if part in self._parts:
            return
        found, holders = pieces(part)
        self._parts[part] = found
        part.destroyed.connect(lambda _gone=None: self._parts.pop(part, None))
        for holder in holders:
            self._watch.watch_holder(holder)
        for piece in found:
            self._know_piece(piece)

    def _know_piece(self, piece: QWidget) -> None:
        self._worn.setdefault(piece, None)
        self._watch.watch_piece(piece)
        piece.destroyed.connect(lambda _gone=None: self._worn.pop(piece, None))

    def _piece_shown(self, piece: QWidget) -> None:
        """Paint what is shown by other ways than a page, too, when it is dressed."""
        if self._worn.get(piece, self.current) is not self.current:
            self._hold({piece.window()})
            self._turn.start(0)

    def _dress_child(self, child: QWidget) -> None:
        """Dress what a divided part got later."""
        if child not in self._worn:
            self._know_piece(child)
            self._put_on(child)

    def _left(self, parts: Iterable[QWidget]) -> list[QWidget]:
        """Return the pieces of parts that wear another theme, or none."""
        all_pieces = (piece for part in parts for piece in self._parts.get(part, ()))
        return [
            piece
            for piece in all_pieces
            if isValid(piece) and self._worn.get(piece, self.current) is not self.current
        ]

    def _forget_deleted(self) -> None:
        """Forget what was deleted with its parent, which not every such widget signals."""
        self._worn = {piece: worn for piece, worn in self._worn.items() if isValid(piece)}

    def _put_on(self, piece: QWidget) -> None:
        self._worn[piece] = self.current
        is_bar = isinstance(piece, QScrollBar)
        theme = self.current
        piece.setStyleSheet(theme.bar_style_sheet() if is_bar else theme.style_sheet())
        piece.ensurePolished()  # else all of a page would be, in the turn that shows it

    def _dress_within_turn(self, left: Iterable[QWidget]) -> None:
        end = time.perf_counter() + _TURN_S
        for piece in left:
            if isValid(piece):
                self._put_on(piece)
            if time.perf_counter() > end:
                return

    def _dress_some(self) -> None:
        """Dress some pieces and come back; what is seen is painted when all of it is dressed."""
        self._forget_deleted()
        left = [piece for piece, worn in self._worn.items() if worn is not self.current]
        seen = [piece for piece in left if piece.isVisible()]
        if seen:
            self._dress_within_turn(seen)
        elif not self._is_announced:
            self._announce()
        elif self._held:
            self._let_go()
        elif left:
            self._put_on(left[0])
        if left or self._held:
            # A frozen window must be complete soon; otherwise the user's events come first.
            self._turn.start(0 if self._held else _IDLE_MS)

    def _announce(self) -> None:
        self._is_announced = True
        self.changed.emit()

    def _hold(self, windows: Iterable[QWidget]) -> None:
        """Suspend painting while visible pieces have different themes."""
        new = [window for window in windows if window.updatesEnabled()]
        for window in new:
            window.setUpdatesEnabled(False)
        self._held += new

    def _let_go(self) -> None:
        for window in self._held:
            if isValid(window):
                window.setUpdatesEnabled(True)
        self._held = []

    def _resolve(self) -> Theme:
        if self.choice in (DARK, LIGHT):
            return load(self.choice)
        return load(DARK if system_prefers_dark() else LIGHT)

    def _switch(self, theme: Theme) -> None:
        if theme is self.current:
            return
        self.current = theme
        self._is_announced = False
        self._forget_deleted()
        self._hold({piece.window() for piece in self._worn if piece.isVisible()})
        QGuiApplication.setPalette(theme.palette())
        if not self._held:
            self._announce()
        self._turn.start(0)

    def _system_changed(self) -> None:
        if self.choice == SYSTEM:
            self._switch(self._resolve())


def worn_by(widget: QWidget) -> str:
    """Return the style sheet of the window part that holds a widget; empty without one."""
    part: QWidget | None = widget
    while part is not None and not part.styleSheet():
        part = part.parentWidget()
    return part.styleSheet() if part is not None else ""


def base_font() -> QFont:
    """Return the window's font: the desktop's family at 13 pixels, figures of equal width."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(BASE_SIZE)
    return tabular(font)


def tabular(font: QFont) -> QFont:
    """Return the same font with figures of equal width, so that columns of numbers line up."""
    result = QFont(font)
    result.setFeature(QFont.Tag("tnum"), 1)
    return result
