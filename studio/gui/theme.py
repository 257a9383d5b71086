"""The window's colours: tokens read from a theme file, and what Qt makes of them."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from string import Template

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from studio.lazy_dataclass import dataclass
from studio.settings import resource

SYSTEM, DARK, LIGHT = "system", "dark", "light"
BASE_SIZE = 13
_IDLE_MS = 20


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
    Instead each part of the window wears the sheet, at most some hundred widgets, so that no turn
    of the event loop is long in which one part is dressed. Parts that are seen come first.

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
        self._worn: dict[QWidget, Theme | None] = {}
        self._held: list[QWidget] = []
        self._is_new = False
        self._turn = QTimer(self, singleShot=True)
        self._turn.timeout.connect(self._dress_one)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    def choose(self, choice: str) -> None:
        """Set ``system``, ``dark`` or ``light``, and apply it."""
        self.choice = choice
        self._switch(self._resolve())

    def apply(self) -> None:
        """Dress the application at its start."""
        QGuiApplication.setPalette(self.current.palette())

    def dress(self, widget: QWidget) -> None:
        """Dress a part of the window, now and at each change; a second call does nothing."""
        for part in parts_of(widget):
            self._know(part)
            if self._worn[part] is not self.current:
                self._worn[part] = self.current
                part.setStyleSheet(self.current.style_sheet())

    def dress_shown(self, *widgets: QWidget) -> None:
        """Dress parts that are shown at this moment.

        Those with an earlier theme are dressed one in a turn, and painted when all of them are.
        Those without any have no right sizes yet, and are dressed at once.
        """
        parts = [part for widget in widgets for part in parts_of(widget)]
        for part in parts:
            self._know(part)
            if self._worn[part] is None:
                self.dress(part)
        if any(self._worn[part] is not self.current for part in parts):
            self._freeze({part.window() for part in parts})
            self._turn.start(0)

    def dress_soon(self, widget: QWidget) -> None:
        """Dress a part that is not seen yet, in an idle turn; ``dress`` it before it is shown."""
        for part in parts_of(widget):
            self._know(part)
        self._turn.start(_IDLE_MS)

    def _know(self, part: QWidget) -> None:
        """Remember a part, which Python has made: only then is its end known."""
        if part not in self._worn:
            self._worn[part] = None
            part.destroyed.connect(lambda _gone=None: self._worn.pop(part, None))

    def _dress_one(self) -> None:
        """Dress one part and come back for the next; what is seen is painted when all of it is."""
        left = [part for part, worn in self._worn.items() if worn is not self.current]
        seen = [part for part in left if part.isVisible()]
        if self._is_new and not seen:
            self._is_new = False
            self.changed.emit()
        elif self._held and not seen:
            self._let_go()
        elif left:
            self.dress((seen or left)[0])
        if left or self._held:
            # A frozen window must be complete soon; otherwise the user's events come first.
            self._turn.start(0 if self._held else _IDLE_MS)

    def _freeze(self, windows: set[QWidget]) -> None:
        """Suspend painting while visible parts have different themes."""
        self._held = [window for window in windows if window.updatesEnabled()] + self._held
        for window in self._held:
            window.setUpdatesEnabled(False)

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
        self._freeze({part.window() for part in self._worn if part.isVisible()})
        QGuiApplication.setPalette(theme.palette())
        self._is_new = bool(self._held)
        if not self._held:
            self.changed.emit()
        self._turn.start(0)

    def _system_changed(self) -> None:
        if self.choice == SYSTEM:
            self._switch(self._resolve())


def parts_of(widget: QWidget) -> list[QWidget]:
    """Return what wears a style sheet: a widget itself, or the ``style_parts`` that it names."""
    named = getattr(widget, "style_parts", None)
    if named is None:
        return [widget]
    return [part for inner in named() for part in parts_of(inner)]


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
