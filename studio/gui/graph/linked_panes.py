"""Two panes with one scroll position: what moves in one moves the other to the counterpart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QSplitter

from studio.gui.graph.comparison import AFTER, BEFORE, Comparison
from studio.gui.graph.controls.choices import ViewChoices
from studio.gui.graph.costs import CostKind
from studio.gui.graph.keyboard import NEXT, PREVIOUS
from studio.gui.graph.overlay import state_overlay
from studio.gui.graph.view import GraphPane
from studio.gui.theme import Theming
from studio.gui.widgets.basics import ElidedLabel
from studio.workspace import is_folded_block

STATE_COLORS = {
    "same": "shape",
    "changed": "product",
    "fused": "pooling",
    "split": "arithmetic",
    "replaced": "control",
    "added": "normalization",
    "removed": "activation",
}
"""Tokens of the theme's graph colours, whose text is readable on all of them."""

DELTA_COLORS = {"less": "normalization", "equal": "shape", "more": "activation"}


class LinkedPanes(QSplitter):
    """The graphs of a comparison side by side.

    Signals:
        chosen: The match that the user selected on either side; -1 for none.
        stepped: To the next difference (1) or the one before (-1).
        opened: A match in the block that the user wants to look into.
        choices_changed: The ``ViewChoices`` that the user made on either side.
    """

    chosen = Signal(int)
    stepped = Signal(int)
    opened = Signal(int)
    choices_changed = Signal(object)

    def __init__(self, theming: Theming) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theming = theming
        self._comparison: Comparison | None = None
        self._kind: CostKind | None = None
        self._is_following = False
        self.titles = (ElidedLabel(), ElidedLabel())
        self.panes = (GraphPane(theming), GraphPane(theming))
        self.setChildrenCollapsible(False)
        for side, pane in enumerate(self.panes):
            pane.dock.has_map = False  # half a page has no room for it
            pane.canvas.unfolds = False  # the other side would have to follow
            self.titles[side].setProperty("role", "section")
            pane.bar.add_title(self.titles[side])
            pane.bar.show_part(zoom=side == BEFORE)  # either acts on both sides
            pane.bar.chosen.connect(self._choose)
            self.addWidget(pane)
            pane.canvas.view_changed.connect(partial(self._moved, side))
            pane.canvas.selection_changed.connect(partial(self._selected, side))
            pane.canvas.wished.connect(self._wished)
            pane.canvas.entered.connect(partial(self._entered, side))
        theming.changed.connect(self._paint)
        self.show_choices(ViewChoices())

    def show_choices(self, choices: ViewChoices) -> None:
        """Show both sides in the same way."""
        for pane in self.panes:
            pane.show_choices(choices)

    def _choose(self, choices: ViewChoices) -> None:
        self.show_choices(choices)
        self.choices_changed.emit(choices)

    def show_comparison(self, comparison: Comparison | None, titles: tuple[str, str]) -> None:
        """Show two graphs from their beginning."""
        with self._alone():
            self._comparison = comparison
            for side, pane in enumerate(self.panes):
                self.titles[side].setText(titles[side])
                pane.show_scene(comparison.sides[side].scene if comparison else None)
                pane.canvas.setAccessibleName(f"{('Before', 'After')[side]}: {titles[side]}")
        self._paint()
        if comparison is not None:
            self._moved(BEFORE)

    def show_kind(self, kind: CostKind | None) -> None:
        """Paint how much a cost has changed, or the states again."""
        self._kind = kind
        self._paint()

    def select(self, match: int) -> None:
        """Select the nodes of a match on both sides and bring them into view."""
        comparison = self._comparison
        if comparison is None:
            return
        with self._alone():
            for side, pane in enumerate(self.panes):
                names = comparison.matches[match].names[side]
                pane.canvas.select(comparison.sides[side].box(names[0]) if names else None)
        found = next((side for side in (AFTER, BEFORE) if self._has(side)), None)
        if found is not None:
            self._moved(found)
            self._reveal(1 - found)

    def _has(self, side: int) -> bool:
        return self.panes[side].canvas.selected is not None

    def _selected(self, side: int, box: int) -> None:
        if self._is_following or self._comparison is None:
            return
        other = self._comparison.counterpart(side, box) if box >= 0 else None
        with self._alone():
            self.panes[1 - side].canvas.select(other, reveal=False)
        self._reveal(1 - side)
        found = self._comparison.sides[side].matches.get(box, ())
        self.chosen.emit(self._telling(found))

    def _telling(self, found: Sequence[int]) -> int:
        """Return the first match in a block that is a difference; -1 without any."""
        assert self._comparison is not None
        matches = self._comparison.matches
        return next((at for at in found if matches[at].state != "same"), next(iter(found), -1))

    def _wished(self, wish: str) -> None:
        if wish in (NEXT, PREVIOUS):
            self.stepped.emit(1 if wish == NEXT else -1)

    def _entered(self, side: int, box: int) -> None:
        comparison = self._comparison
        node = comparison.sides[side].scene.boxes[box].node if comparison is not None else None
        if comparison is not None and node is not None and is_folded_block(node):
            self.opened.emit(self._telling(comparison.sides[side].matches.get(box, ())))

    def _reveal(self, side: int) -> None:
        """Bring the other side's selected box into view; the side one looks at stays."""
        canvas = self.panes[side].canvas
        if canvas.selected is not None:
            with self._alone():
                canvas.reveal(canvas.selected)

    def _moved(self, side: int) -> None:
        """Move the other side to the counterpart of what is in the middle of this one."""
        if self._is_following or self._comparison is None:
            return
        here, there = self.panes[side].canvas, self.panes[1 - side].canvas
        middle = here.viewport.to_scene(QPointF(here.width() / 2, here.height() / 2))
        with self._alone():
            if there.zoom != here.zoom:
                there.zoom_to(here.zoom)
            there.centre_on(*self._comparison.place(side, middle.x(), middle.y()))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Ignore a canvas's signals while this object moves the canvas."""
        before, self._is_following = self._is_following, True
        try:
            yield
        finally:
            self._is_following = before

    def _paint(self) -> None:
        comparison = self._comparison
        if comparison is None:
            return
        for side, pane in enumerate(self.panes):
            if self._kind is None:
                states, texts = comparison.states(side), comparison.texts(side)
                overlay = state_overlay("Changes", states, self._colors(STATE_COLORS), texts)
            else:
                states, texts = _deltas(comparison, side, self._kind)
                title = f"{self._kind.title} after"
                overlay = state_overlay(title, states, self._colors(DELTA_COLORS), texts)
            pane.set_overlay(overlay)

    def _colors(self, tokens: Mapping[str, str]) -> dict[str, QColor]:
        theme = self._theming.current
        return {state: theme.graph_color(token) for state, token in tokens.items()}


def _deltas(
    comparison: Comparison, side: int, kind: CostKind
) -> tuple[dict[int, str], dict[int, str]]:
    """Of each box whose match has numbers: less, equal or more, and what is written on it."""
    states, texts = {}, {}
    for box, numbers in comparison.sides[side].matches.items():
        known = [comparison.matches[at].costs.get(kind.title) for at in numbers]
        costs = [one for one in known if one is not None]
        if costs:
            before, after = (sum(one[at] for one in costs) for at in (BEFORE, AFTER))
            states[box] = "equal" if before == after else "less" if after < before else "more"
            texts[box] = kind.text((before, after)[side])
            if side == AFTER and before and before != after:
                share = 100 * (after - before) / before
                texts[box] += f" ({'−' if share < 0 else '+'}{abs(share):.0f} %)"
    return states, texts
