"""The gallery of targets: a tile for each, by kind, with its state; and a tile for a new one."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.api import TargetSpec
from studio.api.qt import plain_tip
from studio.gui import figures, icons
from studio.gui.pages.deploy.target_kinds import GROUPS, TargetKind, kind_of
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.target_states import NOT_CHECKED, SERVING, TargetState
from studio.gui.theme import Theming
from studio.gui.widgets.basics import (
    Dot,
    ElidedLabel,
    clear,
    label,
    restyle,
    row,
    set_enabled,
)
from studio.workspace import endpoint_of

if TYPE_CHECKING:
    from studio.workspace import ReleaseRecord, VariantRecord

TILE_WIDTH, TILE_HEIGHT = 196, 92
_WIDE_TILE = 320
"""A tile shows all of its text at this width; wider ones would look empty."""

GAP = 12
_SCROLL_BAR = 16
"""Pixels that one takes at most."""
MOST = 12
"""Limit of the tiles of a kind; all of its targets are listed in its sheet."""

_ICON = 20


class Tile(QPushButton):
    """A button with an icon, a title, a line of text and a state as a word with a dot."""

    def __init__(self, theming: Theming, icon: str) -> None:
        super().__init__()
        self._theming = theming
        self._icon_name = icon
        self._tone = ""
        self.setProperty("role", "tile")
        self.setMinimumSize(TILE_WIDTH, TILE_HEIGHT)
        self._icon = QLabel()
        self.title = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.title.setProperty("role", "strong")
        self.about = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.about.setProperty("role", "small")
        self.state = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.dot = Dot(self._color)
        column = QVBoxLayout(self)
        column.setContentsMargins(GAP, GAP, GAP, GAP)
        column.setSpacing(4)
        column.addLayout(row(self._icon, self.title))
        column.addWidget(self.about)
        column.addStretch(1)
        column.addLayout(row(self.dot, self.state))
        for part in self.findChildren(QWidget):  # a click anywhere is one of the tile
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theming.changed.connect(self._draw)
        self._draw()

    def show_texts(self, title: str, text: str, state: str, tone: str) -> None:
        """Show other texts."""
        self.title.setText(title)
        self.about.setText(text)
        self.state.setText(state)
        restyle(self.state, tone=tone, role="" if tone else "dim")
        self._tone = tone
        self.dot.update()
        self.setAccessibleName(f"{title}: {state}")

    def sizeHint(self) -> QSize:
        """Return the size of a tile, whatever its texts: longer ones are shortened."""
        return QSize(TILE_WIDTH, TILE_HEIGHT)

    def _color(self) -> QColor:
        return self._theming.current.color(self._tone or "idle")

    def _draw(self) -> None:
        color = self._theming.current.color("accent")
        pixmap = icons.pixmap(self._icon_name, color, _ICON, self.devicePixelRatioF())
        self._icon.setPixmap(pixmap)
        self.dot.update()


class Gallery(QWidget):
    """The tiles of all targets, in sections by kind.

    Signals:
        chosen: Name of the target that the user has selected.
        kind_asked: The kind to which the user wants to deploy, as its tile was clicked.
    """

    chosen = Signal(str)
    kind_asked = Signal(object)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self.tiles: dict[str, Tile] = {}
        self.kind_tiles: dict[str, Tile] = {}
        self._order: list[tuple[str, list[Tile]]] = []
        self._shape: object = None
        self._columns = self._left_at = 0
        self._chosen = self._model = ""
        self._group = QButtonGroup(self)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        self.setAccessibleName("Targets")

    @property
    def selected(self) -> str:
        """Name of the selected target; empty without one."""
        return self._chosen

    def select(self, name: str) -> None:
        """Select a target without a signal."""
        self._chosen = name
        if name in self.tiles:
            self.tiles[name].setChecked(True)

    def follow(
        self,
        variant: VariantRecord | None,
        running: Mapping[str, ReleaseRecord],
        names: Sequence[str],
    ) -> None:
        """Select where the current model is served, when it is another model than before.

        Args:
            names: All targets; this computer is selected where the last one is gone.
        """
        model = variant.model_name if variant is not None else ""
        if model and model != self._model:
            self._model = model
            self._chosen = endpoint_of(model, running) or self._chosen
        if self._chosen not in names:
            self._chosen = (
                target_rows.LOCAL if target_rows.LOCAL in names else next(iter(names), "")
            )
        self.select(self._chosen)

    def choose(self, name: str) -> None:
        """Select a target as a click does."""
        self.select(name)
        self.chosen.emit(name)

    def show_targets(
        self,
        targets: Sequence[TargetSpec],
        states: Mapping[str, TargetState],
        texts: Mapping[str, str],
        kinds: Sequence[TargetKind],
    ) -> None:
        """Show the targets, and what is known of each.

        Args:
            texts: A line about each target by its name.
            kinds: In the order of the sections.
        """
        of_kind = {kind: [t for t in targets if kind.has(t)] for kind in kinds}
        for target in targets:
            kind = kind_of(target, kinds)
            of_kind.setdefault(kind, [])
            if target not in of_kind[kind]:
                of_kind[kind].append(target)
        shape = [(kind, [t.name for t in few(ts, self._chosen)]) for kind, ts in of_kind.items()]
        if shape != self._shape:
            self._shape = shape
            self._make(shape)
        for kind, its in of_kind.items():
            for target in its:
                if target.name in self.tiles:
                    state = states.get(target.name, TargetState(NOT_CHECKED))
                    show_state(self.tiles[target.name], target, state, texts[target.name])
            if kind.id in self.kind_tiles:
                self._show_kind(kind, its, states)
        self.select(self._chosen)

    def _show_kind(
        self, kind: TargetKind, its: Sequence[TargetSpec], states: Mapping[str, TargetState]
    ) -> None:
        serving = sum(states[t.name].tone == "good" for t in its if t.name in states)
        counted = f"{figures.count(len(its), 'target')}, {serving} {SERVING}"
        state = "Not available" if kind.reason else counted if its else "No target added"
        tile = self.kind_tiles[kind.id]
        tile.show_texts(kind.title, kind.summary, state, "")
        tile.setAccessibleName(f"Deploy to another target: {kind.title}. {state}")
        tip = f"{kind.summary} Add one, or choose from all of them.".strip()
        set_enabled(tile, kind.reason)
        if not kind.reason:
            tile.setToolTip(plain_tip(tip))

    def _make(self, shape: Sequence[tuple[TargetKind, Sequence[str]]]) -> None:
        """Make the tiles of other targets; what is shown in them comes after."""
        clear(self._grid)
        self.tiles, self.kind_tiles = {}, {}
        sections: dict[str, list[Tile]] = {}
        for kind, names in shape:
            tiles = sections.setdefault(kind.group, [])
            for name in names:
                tiles.append(self._add_tile(name, kind))
            if kind.addable:
                made = Tile(self._theming, kind.icon)
                made.setProperty("adds", True)
                made.clicked.connect(functools.partial(self._ask, kind))
                self.kind_tiles[kind.id] = made
                tiles.append(made)
        self._order = [(GROUPS[group], sections[group]) for group in GROUPS if group in sections]
        self._columns = self._left_at = 0
        self._place()

    def _ask(self, kind: TargetKind, _checked: bool = False) -> None:
        self.kind_asked.emit(kind)

    def _add_tile(self, name: str, kind: TargetKind) -> Tile:
        tile = self.tiles[name] = Tile(self._theming, kind.icon)
        tile.setCheckable(True)
        self._group.addButton(tile)
        tile.clicked.connect(lambda: self.choose(name))
        return tile

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put as many tiles into a line as have room."""
        super().resizeEvent(event)
        self._place()

    def minimumSizeHint(self) -> QSize:
        """Return one column's width: it is the page that decides how many there are."""
        return QSize(TILE_WIDTH, super().minimumSizeHint().height())

    def _fitting_columns(self) -> int:
        """Return how many tiles fit into a line.

        A line more may bring a scroll bar, and with it another width. So a column comes back only
        when there is more room than that.
        """
        width = self.width()
        columns = max(1, (width + GAP) // (TILE_WIDTH + GAP))
        if columns > self._columns > 0 and width < self._left_at + _SCROLL_BAR:
            return self._columns
        return columns

    def _filled_columns(self, fitting: int) -> int:
        """Return the columns without those that no section fills, while tiles are narrow."""
        longest = max((len(tiles) for _, tiles in self._order), default=1)
        return min(fitting, max(longest, -(-self.width() // (_WIDE_TILE + GAP))))

    def _place(self) -> None:
        columns = self._fitting_columns()
        if columns == self._columns:
            return
        if columns < self._columns:
            self._left_at = self.width()
        self._columns = columns
        columns = self._filled_columns(columns)
        while self._grid.takeAt(0) is not None:
            pass
        for item in self.findChildren(QLabel, "section", Qt.FindChildOption.FindDirectChildrenOnly):
            item.hide()
            item.deleteLater()
        for column in range(max(columns, self._grid.columnCount())):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        y = 0
        for title, tiles in self._order:
            heading = label(title, "section")
            heading.setObjectName("section")
            self._grid.addWidget(heading, y, 0, 1, columns)
            y += 1
            for at, tile in enumerate(tiles):
                self._grid.addWidget(tile, y + at // columns, at % columns)
            y += -(-len(tiles) // columns)


def show_state(tile: Tile, target: TargetSpec, state: TargetState, text: str) -> None:
    """Show the state of a target on its tile."""
    shown = " · ".join(filter(None, (state.release, state.word)))
    tile.show_texts(target_rows.title(target), text, shown, state.tone)
    since = f"Checked {figures.moment(state.checked)}." if state.checked else "Not checked yet."
    tile.setToolTip(plain_tip(f"{target.url}\n{since}"))


def few(targets: Sequence[TargetSpec], chosen: str) -> list[TargetSpec]:
    """Return as many targets as have a tile, the chosen one among them."""
    shown = list(targets[:MOST])
    missing = [one for one in targets[MOST:] if one.name == chosen]
    return [*shown[: MOST - len(missing)], *missing] if missing else shown
