"""The choice of a chip: the catalogue by families, remembered for each model."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox

from studio.api.qt import plain_tip
from studio.gui.session_state import recall, store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.conversion.chips.results import ChipLine
    from studio.settings import Settings

KEY = "chips"
_MOST = 100
"""Models whose chips are remembered."""


class ChipCombo(QComboBox):
    """A list of chips under the headings of their families.

    Signals:
        chip_chosen: Another chip is chosen by the user.
    """

    chip_chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Chip")
        self.setPlaceholderText("Choose a chip")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.setMaxVisibleItems(24)
        self._content = QStandardItemModel(self)
        self.setModel(self._content)
        self._lines: tuple[ChipLine, ...] = ()
        self.activated.connect(lambda _index: self.chip_chosen.emit())

    @property
    def chip(self) -> str:
        """Name of the chosen chip; empty without one."""
        return str(self.currentData() or "")

    @property
    def preset(self) -> str:
        """Name of the preset of the chosen chip; empty without one."""
        return next((one.preset for one in self._lines if one.id == self.chip), "")

    def show_chips(self, lines: Sequence[ChipLine]) -> None:
        """Offer these chips; the chosen one stays."""
        if tuple(lines) == self._lines:
            return
        kept, self._lines = self.chip, tuple(lines)
        self._content.clear()
        for family, members in groupby(_by_family(lines), key=lambda one: one.family):
            self._content.appendRow(_heading(family or "Other chips"))
            for line in members:
                self._content.appendRow(_entry(line))
        self.choose(kept)

    def choose(self, chip: str) -> None:
        """Choose a chip without a signal; an unknown name chooses none."""
        self.setCurrentIndex(self.findData(chip) if chip else -1)


def _by_family(lines: Sequence[ChipLine]) -> list[ChipLine]:
    """Return the chips family by family, in the order of the catalogue."""
    order = {family: at for at, family in enumerate(dict.fromkeys(one.family for one in lines))}
    return sorted(lines, key=lambda one: order[one.family])


def _heading(text: str) -> QStandardItem:
    item = QStandardItem(text)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    font = item.font()
    font.setBold(True)
    item.setFont(font)
    return item


def _entry(line: ChipLine) -> QStandardItem:
    item = QStandardItem(line.title)
    item.setData(line.id, Qt.ItemDataRole.UserRole)
    item.setToolTip(plain_tip(line.summary))
    return item


def remembered(settings: Settings, model: str) -> str:
    """Return the chip that a model was last checked for; empty without one."""
    return _remembered(settings).get(model, "")


def remember(settings: Settings, model: str, chip: str) -> None:
    """Store the chip of a model; the oldest of many models are forgotten."""
    known = {name: one for name, one in _remembered(settings).items() if name != model}
    pairs = [*known.items(), (model, chip)]  # as a list, whose order is kept
    store(settings, **{KEY: pairs[-_MOST:]})


def _remembered(settings: Settings) -> dict[str, str]:
    pairs = recall(settings).get(KEY)
    if not isinstance(pairs, list) or not all(map(_is_pair, pairs)):
        return {}
    return {str(model): str(chip) for model, chip in pairs}


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2
