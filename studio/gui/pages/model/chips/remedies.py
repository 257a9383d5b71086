"""The remedies of a check: the same one of many nodes is one row with one button."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.widgets.basics import GRID, button, clear, label, row, set_enabled
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.conversion.chips.results import ChipResult, RefusedNode

_TEXT_WIDTH = 10 * GRID


@dataclass(frozen=True, slots=True)
class ChipRemedy:
    """A change that the compiler proposes.

    Attributes:
        preset: Name of the preset to quantize with; empty for another change.
        edits: Edits of the model.
        keep: Nodes that quantization has to leave in float.
    """

    text: str
    preset: str = ""
    edits: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    @property
    def action(self) -> str:
        """Text of its button; empty for a change that the user makes elsewhere."""
        if self.preset:
            return "Optimize…"
        if self.edits:
            return "Apply edit" if len(self.edits) == 1 else "Apply edits"
        return "Keep in float" if self.keep else ""


def remedies_of(result: ChipResult) -> list[ChipRemedy]:
    """Return the changes that would help, each of them once, with its nodes in words."""
    found = [*_of_the_model(result)]
    groups: dict[tuple[str, str, tuple[str, ...]], list[RefusedNode]] = {}
    for node in result.refused:
        if node.remedy:
            groups.setdefault((node.remedy, node.preset, node.edits), []).append(node)
    for (text, preset, edits), nodes in groups.items():
        found.append(ChipRemedy(f"{text} ({_nodes(nodes)})", preset, edits))
    if kept := [node for node in result.refused if node.keep_float]:
        text = f"Keep {_nodes(kept)} in float, and quantize again."
        found.append(ChipRemedy(text, keep=tuple(node.node for node in kept)))
    return found


def _of_the_model(result: ChipResult) -> Iterator[ChipRemedy]:
    if result.edits:
        text = f"Edit that the compiler proposes: {', '.join(result.edits)}."
        yield ChipRemedy(text, edits=result.edits)


def _nodes(nodes: list[RefusedNode]) -> str:
    return nodes[0].node if len(nodes) == 1 else figures.count(len(nodes), "node")


class RemedyRows(QWidget):
    """A row for each remedy: its sentence, and the button that does it.

    Signals:
        taken: The ChipRemedy whose button was clicked.
    """

    taken = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: list[QPushButton] = []
        self._shown: list[ChipRemedy] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID // 2)

    def show_remedies(self, remedies: list[ChipRemedy]) -> None:
        """Replace the rows, unless they are the same."""
        self.setVisible(bool(remedies))
        if remedies == self._shown:
            return
        self._shown = remedies
        clear(self._column)
        self.buttons = []
        for remedy in remedies:
            self._column.addLayout(self._row(remedy))

    def withhold(self, reason: str) -> None:
        """Disable the buttons with a reason; an empty one enables them."""
        for item in self.buttons:
            set_enabled(item, reason)

    def _row(self, remedy: ChipRemedy) -> QHBoxLayout:
        text = label(remedy.text, wrap=True)
        text.setMinimumWidth(_TEXT_WIDTH)
        line = row(text)
        line.setStretch(0, 1)
        if remedy.action:
            item = button(remedy.action, lambda: self.taken.emit(remedy))
            item.setAccessibleName(f"{remedy.action}: {remedy.text}")
            self.buttons.append(item)
            line.addWidget(item)
        return line
