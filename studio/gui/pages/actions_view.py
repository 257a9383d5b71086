"""The history of what was done, each entry with the recipe that does it again."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from studio.api import StudioError
from studio.gui import memory
from studio.gui.pages import run_rows
from studio.gui.pages.base import Shell
from studio.gui.sortable import Row, SortableTable
from studio.gui.widgets import GRID, Card, Hint, button, label, row, set_enabled

if TYPE_CHECKING:
    from studio.workspace import ActionRecord, Workspace

COLUMNS = ("What", "About", "When", "From")
_WIDTHS = (152, 0, 120, 96)
_SHOWN = 500


class ActionsView(QWidget):
    """The list at the left; at the right the recipe of what is chosen."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self.workspace, self.shell = workspace, shell
        self._wanted: int | None = None
        self.table = SortableTable(COLUMNS, (), _WIDTHS, "What was done")
        self.note = label("", "dim", wrap=True)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName("The recipe that repeats it")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.save = button("Save as a recipe…", self._save)
        self.empty = Hint(
            "Nothing was done yet",
            "Whatever is done here, by a click or by a command, is listed, and can be saved as the "
            "recipe that does it again.",
        )
        self._build()
        self.table.chosen.connect(self._show)
        self._show(None)

    def _build(self) -> None:
        side = Card("As a recipe")
        side.body.addWidget(self.note)
        side.body.addWidget(self.text, 1)
        side.body.addLayout(row(None, self.save))
        listed = QWidget()
        layout = row(self.table, side, spacing=2 * GRID)
        layout.setStretch(0, 1)
        layout.setStretch(1, 1)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        listed.setLayout(layout)
        self.stack = QStackedWidget()
        self.stack.addWidget(listed)
        self.stack.addWidget(self.empty)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.stack)

    def refresh(self) -> None:
        """Read the history again."""
        actions = self.workspace.registry.ledger.actions(_SHOWN)
        self.stack.setCurrentIndex(0 if actions else 1)
        steps = self.workspace.steps
        made = []
        for action in actions:
            title = steps[action.step].title if action.step in steps else action.step
            about = _about(action)
            origin = "recipe" if action.source.startswith("recipe") else action.source
            texts = (title, about, run_rows.local(action.created), origin)
            made.append(Row(action.id, texts, (*texts[:2], action.created, origin)))
        self.table.show_rows(made)
        chosen = self._wanted or self.table.selected() or (actions[0].id if actions else None)
        self._wanted = None
        self.table.select(chosen)
        self._show(chosen)

    def select(self, number: int) -> None:
        """Show one entry."""
        self._wanted = number
        self.refresh()

    def _show(self, key: Hashable) -> None:
        text, problem = "", "Choose what is to be repeated."
        if isinstance(key, int):
            try:
                text, problem = self.workspace.retold(key), ""
            except StudioError as error:
                problem = error.message
        self.note.setText(problem or "All that led there, in the order in which it is needed.")
        if text != self.text.toPlainText():
            self.text.setPlainText(text)
        set_enabled(self.save, problem)

    def _save(self) -> None:
        key = self.table.selected()
        if not isinstance(key, int):
            return
        kept = memory.recall(self.workspace.settings).get("recipes", "")
        start = str(Path(str(kept)) / "recipe.toml")
        chosen, _filter = QFileDialog.getSaveFileName(
            self, "Save as a recipe", start, "Recipes (*.toml)"
        )
        if chosen:
            self.write(key, Path(chosen))

    def write(self, key: int, path: Path) -> None:
        """Write the recipe of an entry."""
        try:
            path.write_text(self.workspace.retold(key, path.parent), encoding="utf-8")
        except OSError as error:
            self.shell.fail(StudioError(f"{path} cannot be written: {error.strerror or error}."))
            return
        except StudioError as error:
            self.shell.fail(error)
            return
        memory.keep(self.workspace.settings, recipes=str(path.parent))
        self.shell.say(f"Saved as {path}. Run it with: studio run {path.name}", "good")


def _about(action: ActionRecord) -> str:
    """What a step was about, in a word: a model, a version, a target, a file."""
    for values, names in (
        (action.result, ("name",)),
        (action.options, ("version", "target", "model", "out", "archive", "plugin")),
    ):
        for name in names:
            if isinstance(values.get(name), str):
                return Path(values[name]).name
    return ""
