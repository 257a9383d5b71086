"""The choice of a study's boards: groups, labels, and single targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.api import Kind, Option
from studio.features.fleets.pages.studies import texts
from studio.gui import figures
from studio.gui.forms.editors import ChecksEditor, Choice
from studio.gui.pages.shared import target_rows
from studio.gui.widgets.basics import label

if TYPE_CHECKING:
    from studio.workspace import Workspace

_OPTION = Option("target", Kind.TEXT, many=True, title=texts.TITLE)
_NAMED = 6
"""Names of boards below the check boxes; the others are counted."""


class BoardPicker(QWidget):
    """Check boxes for groups, for labels and for targets, and which boards they choose.

    Signals:
        changed: Other boards are chosen.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._members: dict[str, list[str]] = {}
        self.boxes = ChecksEditor(_OPTION, [])
        self.chosen = label("", "small", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(label(texts.TITLE, "dim"))
        layout.addWidget(self.boxes)
        layout.addWidget(self.chosen)
        self.boxes.changed.connect(self._changed)
        self._changed()

    def offer(self, workspace: Workspace) -> None:
        """Offer what the registry has now; what was ticked stays ticked."""
        members = _members(workspace)
        if members == self._members:
            return
        self._members = members
        self.boxes.set_entries([_entry(name, boards) for name, boards in members.items()])
        self._changed()

    @property
    def known(self) -> list[str]:
        """All targets by name."""
        return [name for name in self._members if not name.startswith("@")]

    def words(self) -> list[str]:
        """Return what is ticked, as the option ``target`` takes it."""
        return list(self.boxes.value() or ())

    def boards(self) -> list[str]:
        """Return the boards that are chosen, each once."""
        return list(dict.fromkeys(one for word in self.words() for one in self._members[word]))

    def tick(self, words: Sequence[str]) -> None:
        """Tick the boards of an earlier study, as far as they still exist."""
        self.boxes.set_value(list(words))

    def _changed(self) -> None:
        boards = self.boards()
        named = [target_rows.spoken(name) for name in boards[:_NAMED]]
        more = f" and {len(boards) - _NAMED} more" if len(boards) > _NAMED else ""
        count = figures.count(len(boards), "board")
        self.chosen.setText(
            f"{count}: {', '.join(named)}{more}. {texts.RESERVES}" if boards else texts.TOO_FEW
        )
        self.changed.emit()


def _members(workspace: Workspace) -> dict[str, list[str]]:
    """Return the boards behind each word: ``@group``, ``@label=value``, and single targets."""
    registry = workspace.registry
    labels: dict[tuple[str, str], list[str]] = {}
    for board, pairs in registry.labels.all().items():
        for pair in pairs.items():
            labels.setdefault(pair, []).append(board)
    return {
        **{f"@{name}": boards for name, boards in registry.groups.all().items()},
        **{f"@{name}={value}": labels[name, value] for name, value in sorted(labels)},
        **{one.name: [one.name] for one in registry.targets()},
    }


def _entry(word: str, boards: Sequence[str]) -> Choice:
    if word.startswith("@"):
        return word, f"{word[1:]} ({figures.count(len(boards), 'board')})"
    return word, target_rows.named(word)
