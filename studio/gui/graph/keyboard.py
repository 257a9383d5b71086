"""The keys of the graph canvas: travel along edges, paths, enter and leave, pan, zoom."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from studio.gui.graph.scene import Scene

STEP = 60.0
"""Pixels that an arrow key pans."""

PAGE = 0.8
"""Share of what is visible that a page key pans."""

KEYS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Travel",
        (
            ("↑ ↓", "Go to an input node, to an output node (left to right: ← →)"),
            ("← →", "Go to the next node of the same layer (left to right: ↑ ↓)"),
            ("Home End", "Go to the first node, to the last node"),
            ("Enter", "Open a block, branch or function"),
            ("Backspace", "Leave the block; collapse the enclosing block"),
            ("U", "Expand the block; on any other node, same as Backspace"),
            ("Shift U", "Expand or collapse all blocks"),
            ("Esc", "Clear the highlight, then the selection"),
        ),
    ),
    (
        "Paths",
        (
            ("A", "Highlight ancestors (dependencies)"),
            ("D", "Highlight descendants (dependents)"),
            ("S", "Both"),
            ("X", "Clear the highlight"),
        ),
    ),
    (
        "View",
        (
            ("F", "Show the whole graph"),
            ("0", "100 %"),
            ("+ −", "Zoom (Ctrl and wheel)"),
            ("Shift ↑ ↓ ← →", "Pan (also without a selection)"),
            ("Page↑ Page↓", "A page back, a page on"),
            ("B", "Blocks, or all nodes"),
            ("E", "Shapes on the edges"),
            ("L", "Top to bottom, or left to right"),
            ("M", "Overview and legend"),
            ("N P", "Next difference, previous difference (Compare)"),
            ("?", "Show these keys"),
        ),
    ),
)
"""What is shown to who asks for the keys: sections of (keys, what they do)."""

HELP, LEAVE, DETAIL, NEXT, PREVIOUS = "help", "leave", "detail", "next", "previous"
UNFOLD, UNFOLD_ALL = "unfold", "unfold all"
SHAPES, DIRECTION, DOCK = "shapes", "direction", "dock"
"""Wishes that the canvas only passes on."""

_ARROWS = {
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
}

_WISHES = {
    Qt.Key.Key_Question: HELP,
    Qt.Key.Key_Backspace: LEAVE,
    Qt.Key.Key_B: DETAIL,
    Qt.Key.Key_N: NEXT,
    Qt.Key.Key_P: PREVIOUS,
    Qt.Key.Key_E: SHAPES,
    Qt.Key.Key_L: DIRECTION,
    Qt.Key.Key_M: DOCK,
}


class KeyTarget(Protocol):
    """The canvas that the keys act on.

    Attributes:
        scene: What is shown; None before there is one.
        selected: The selected box, or None.
        traced: The boxes of the path that is lit.
    """

    scene: Scene | None
    selected: int | None
    traced: frozenset[int]

    def height(self) -> int:
        """Return the height in pixels."""

    def width(self) -> int:
        """Return the width in pixels."""

    def pan(self, right: float, down: float) -> None:
        """Move the view right and down, in pixels of the screen."""

    def fit(self) -> None:
        """Show the whole graph."""

    def zoom_by(self, factor: float) -> None:
        """Zoom and keep the middle."""

    def zoom_to(self, zoom: float) -> None:
        """Set the zoom and keep the centre."""

    def select(self, box: int | None) -> None:
        """Select a box and bring it into view; None for nothing."""

    def trace(self, *, up: bool = False, down: bool = False) -> None:
        """Highlight the path from the selected box; without a direction end the highlight."""

    def enter(self) -> None:
        """Open the selected box."""

    def wish(self, what: str) -> None:
        """Emit the signal of a command that the canvas cannot run itself."""


def handle_key(canvas: KeyTarget, event: QKeyEvent) -> bool:
    """Do what a key asks for; False for one that the canvas does not know.

    With a box selected the arrows travel along its edges; with Shift, or nothing selected, they
    pan.
    """
    key = Qt.Key(event.key())
    if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
        return False  # shortcuts of the window
    if key in _ARROWS:
        is_pan = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        right, down = _ARROWS[key]
        if is_pan or canvas.selected is None:
            canvas.pan(right * STEP, down * STEP)
        else:
            _travel(canvas, canvas.selected, right, down)
        return True
    if key is Qt.Key.Key_Escape:
        return _escape(canvas)
    if key is Qt.Key.Key_U:
        is_all = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        canvas.wish(UNFOLD_ALL if is_all else UNFOLD)
        return True
    if key in _WISHES:
        canvas.wish(_WISHES[key])
        return True
    run = _simple(canvas).get(key)
    if run is None:
        return False
    run()
    return True


def _escape(canvas: KeyTarget) -> bool:
    """Put the path out; without one select nothing. False when there was nothing to do."""
    if canvas.traced:
        canvas.trace()
        return True
    was_selected = canvas.selected is not None
    canvas.select(None)
    return was_selected


def _simple(canvas: KeyTarget) -> dict[Qt.Key, Callable[[], None]]:
    last = len(canvas.scene) - 1 if canvas.scene is not None else -1
    return {
        Qt.Key.Key_Plus: partial(canvas.zoom_by, 1.25),
        Qt.Key.Key_Equal: partial(canvas.zoom_by, 1.25),
        Qt.Key.Key_Minus: partial(canvas.zoom_by, 0.8),
        Qt.Key.Key_0: partial(canvas.zoom_to, 1.0),
        Qt.Key.Key_F: canvas.fit,
        Qt.Key.Key_A: partial(canvas.trace, up=True),
        Qt.Key.Key_D: partial(canvas.trace, down=True),
        Qt.Key.Key_S: partial(canvas.trace, up=True, down=True),
        Qt.Key.Key_X: canvas.trace,
        Qt.Key.Key_Return: canvas.enter,
        Qt.Key.Key_Enter: canvas.enter,
        Qt.Key.Key_Home: partial(canvas.select, 0 if last >= 0 else None),
        Qt.Key.Key_End: partial(canvas.select, last if last >= 0 else None),
        Qt.Key.Key_PageDown: partial(_turn_page, canvas, PAGE),
        Qt.Key.Key_PageUp: partial(_turn_page, canvas, -PAGE),
    }


def _turn_page(canvas: KeyTarget, pages: float) -> None:
    """Pan in the direction of the graph."""
    if canvas.scene is not None and canvas.scene.across:
        canvas.pan(canvas.width() * pages, 0)
    else:
        canvas.pan(0, canvas.height() * pages)


def _travel(canvas: KeyTarget, box: int, right: int, down: int) -> None:
    scene = canvas.scene
    if scene is None:
        return
    if scene.across:
        right, down = down, right
    target: int | None
    if right:
        target = scene.beside(box, right)
    else:
        ways = scene.after(box) if down > 0 else scene.before(box)
        target = ways[0] if ways else None
    if target is not None:
        canvas.select(target)
