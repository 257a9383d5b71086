"""The choice of the Optimize page: the target's chip, then one of its presets."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.gui.pages.quantize.chips import BY_ID, CARDS, CHIPS, Chip, chip_of, offered, places
from studio.gui.pages.quantize.preset_card import PresetCard
from studio.gui.widgets.basics import GRID, ElidedLabel, label

if TYPE_CHECKING:
    from studio.gui.pages.quantize.outlook import PresetOutlook
    from studio.gui.theme import Theming
    from studio.workspace import PresetEntry


_OTHER = "No card shows the preset in use: see all presets and options."


class _ChipButton(QPushButton):
    """A kind of chip, and below it the targets that have one."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("role", "choice")
        self.setCheckable(True)
        self.place = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.place.setProperty("role", "small")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 6, 12, 6)
        layout.setSpacing(0)
        for item in (label(title), self.place):
            item.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            layout.addWidget(item)

    def sizeHint(self) -> QSize:
        """As large as its texts."""
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()


class ChipBar(QWidget):
    """The kinds of chips, of which one is chosen.

    Signals:
        changed: Another chip is chosen.
    """

    changed = Signal()

    def __init__(self, machine: str = "") -> None:
        super().__init__()
        self.setAccessibleName("Target chip")
        self.machine = machine or platform.machine()
        self.chip: Chip = chip_of(self.machine)
        self.buttons: dict[str, _ChipButton] = {}
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        for chip in CHIPS:
            made = _ChipButton(chip.title)
            made.clicked.connect(lambda _checked=False, one=chip: self.choose(one.id))
            self._group.addButton(made)
            self.buttons[chip.id] = made
            layout.addWidget(made, 1)
        self.buttons[self.chip.id].setChecked(True)
        self.show_targets({})

    def show_targets(self, targets: Mapping[str, str]) -> None:
        """Name the targets with each chip.

        Args:
            targets: Architectures by the name of the target.
        """
        for chip in CHIPS:
            where = places(chip, self.machine, targets)
            self.buttons[chip.id].place.setText(where)
            self.buttons[chip.id].setAccessibleName(f"Target chip: {chip.title}, {where}")

    @property
    def is_here(self) -> bool:
        """Whether the chip is that of this computer."""
        return self.machine.lower() in self.chip.machines

    def choose(self, identifier: str) -> None:
        """Choose a chip."""
        self.buttons[identifier].setChecked(True)
        if BY_ID[identifier] is not self.chip:
            self.chip = BY_ID[identifier]
            self.changed.emit()


class PresetCards(QWidget):
    """The chip, and three of its presets.

    Signals:
        chosen: The name of the preset that was clicked.
        chip_changed: Another chip is chosen; its first preset is meant then.
    """

    chosen = Signal(str)
    chip_changed = Signal()

    def __init__(self, theming: Theming, machine: str = "") -> None:
        super().__init__()
        self.chips = ChipBar(machine)
        self.cards = tuple(PresetCard(theming) for _ in range(CARDS))
        self._entries: list[PresetEntry] = []
        self.basis = label("", "small", wrap=True)
        grid = QGridLayout()
        grid.setSpacing(12)
        for x, card in enumerate(self.cards):
            grid.addWidget(card, 0, x)
            grid.setColumnStretch(x, 1)
            card.chosen.connect(self.chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.chips)
        layout.addLayout(grid)
        layout.addWidget(self.basis)
        self.chips.changed.connect(self.chip_changed)

    def entries(
        self, presets: list[PresetEntry], ratios: Mapping[str, float | None], wanted: str = ""
    ) -> list[PresetEntry]:
        """Return the presets of the chosen chip that are to be shown, the recommended one first.

        Args:
            wanted: Name of the preset to recommend; empty for the first of the chip.
        """
        self._entries = list(offered(self.chips.chip, presets, ratios, wanted))
        return self._entries

    def show_outlooks(self, outlooks: Mapping[str, PresetOutlook], chosen: str) -> None:
        """Show the cards of the entries of the chosen chip.

        Args:
            outlooks: By name of the preset.
            chosen: The name of the preset in use; of none here when it is another one.
        """
        for index, card in enumerate(self.cards):
            card.setVisible(index < len(self._entries))
            if index < len(self._entries):
                entry = self._entries[index]
                card.show_preset(entry, outlooks[entry.name], recommended=index == 0)
                card.set_chosen(entry.name == chosen)

        known = outlooks.get(chosen)
        self.basis.setText(known.basis if known is not None else _OTHER)

    def set_narrow(self, narrow: bool) -> None:
        """Show less in each card of a narrow window."""
        for card in self.cards:
            card.set_narrow(narrow)

    def card_of(self, name: str) -> PresetCard | None:
        """Return the card of a preset; None where it has none."""
        return next((card for card in self.cards if card.name == name and name), None)
