"""The history of what was done, each entry with the pipeline that does it again."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QWidget

from studio.api import StudioError
from studio.gui import session_state as memory
from studio.gui.pages.shared import run_rows, target_rows
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, Hint, button, label, row, set_enabled
from studio.gui.widgets.list_or_hint import ListOrHint
from studio.gui.widgets.sortable import SortableRow, SortableTable
from studio.gui.widgets.tables import framed
from studio.gui.widgets.two_columns import TwoColumns

if TYPE_CHECKING:
    from studio.workspace import ActionRecord, Workspace

COLUMNS = ("Action", "Object", "Time", "Source")
_WIDTHS = (152, 0, 112, 88)
_SHOWN = 500
_ALL = "All required steps, in order."
_SUBJECTS = ("version", "model", "bundle", "out", "archive", "plugin", "name")
_NAMED = 3
_TOLD = "Read-only actions are not listed."


class ActionsView(QWidget):
    """The list at the left; at the right the pipeline of what is chosen."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self.workspace, self.shell = workspace, shell
        self._shown: int | None = None
        self.table = SortableTable(COLUMNS, (), _WIDTHS, "Activity")
        self.note = label("", "dim", wrap=True)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Pipeline")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.save = button("Save as pipeline…", self._save)
        self.empty = Hint(
            "No activity yet",
            "Actions in the window and on the command line appear here. Save one as a "
            "pipeline to repeat it.",
            "Open a model…",
            lambda: shell.choose_model(),
        )
        self._build()
        self.table.chosen.connect(self._show)
        self._show(None)

    def _build(self) -> None:
        side = Card("Show as pipeline")
        side.body.addWidget(self.note)
        side.body.addWidget(self.text, 1)
        side.body.addLayout(row(None, self.save))
        listed = TwoColumns(framed(self.table), side, (3, 2), least=0)
        listed.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self.stack = ListOrHint(self, listed, self.empty)

    def refresh(self) -> None:
        """Read the history again."""
        actions = self.workspace.registry.ledger.actions(_SHOWN)
        steps = self.workspace.steps
        variants = self.workspace.registry.variants()
        models = {f"#{one.id}": f"{one.model_name}:{one.name}" for one in variants}
        made = []
        for action in actions:
            title = steps[action.step].title if action.step in steps else action.step
            about = _about(action, models)
            origin = "pipeline" if action.source.startswith("recipe") else action.source
            texts = (title, about, run_rows.local(action.created), origin)
            made.append(SortableRow(action.id, texts, (*texts[:2], action.created, origin)))
        self.table.show_rows(made)
        first = actions[0].id if actions else None
        kept = self._shown in {row.key for row in made} or _is_unrecorded(self._shown)
        chosen = self._shown if kept else first
        self.stack.show_list(chosen is not None)
        self.table.select(chosen)
        self._show(chosen)

    def select(self, number: int) -> None:
        """Show one entry, or what the history leaves out: its number is below 0."""
        self._shown = number
        self.refresh()

    def _show(self, key: Hashable) -> None:
        self._shown = key if isinstance(key, int) else None
        text, problem = "", "Select an action to repeat."
        if self._shown is not None:
            try:
                text, problem = self.workspace.retold(self._shown), ""
            except StudioError as error:
                problem = error.message
        self.note.setText(problem or (_TOLD if _is_unrecorded(self._shown) else _ALL))
        # Setting the same text again would reset the cursor and the selection.
        if text != self.text.toPlainText():
            self.text.setPlainText(text)
        set_enabled(self.save, problem)

    def _save(self) -> None:
        key = self._shown
        if key is None:
            return
        kept = memory.recall(self.workspace.settings).get("pipelines", "")
        start = str(Path(str(kept)) / "pipeline.toml")
        chosen, _filter = QFileDialog.getSaveFileName(
            self, "Save as pipeline", start, "Pipelines (*.toml)"
        )
        if chosen:
            self.write(key, Path(chosen))

    def write(self, key: int, path: Path) -> None:
        """Write the pipeline of an entry."""
        try:
            path.write_text(self.workspace.retold(key, path.parent), encoding="utf-8")
        except OSError as error:
            self.shell.fail(StudioError(f"{path} cannot be written: {error.strerror or error}."))
            return
        except StudioError as error:
            self.shell.fail(error)
            return
        memory.store(self.workspace.settings, pipelines=str(path.parent))
        self.shell.notify(f"Saved as {path}. Run it with: studio run {path.name}", "good")


def _is_unrecorded(number: int | None) -> bool:
    return number is not None and number < 0


def _about(action: ActionRecord, models: Mapping[str, str]) -> str:
    """Return the subject of a step: a model, version, file or plugin, and its targets.

    Args:
        models: The name of each variant by its reference (``#12``).
    """
    options = action.options
    given = next((options[key] for key in _SUBJECTS if options.get(key)), "")
    made = models.get(f"#{action.variant}")
    subjects = [made] if made else [_name(str(one), models) for one in _several(given)]
    places = [target_rows.named(str(one)) for one in _several(action.target)]
    parts = [*subjects, *places]
    more = len(parts) - _NAMED
    return ", ".join(parts[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _several(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value] if value else []


def _name(text: str, models: Mapping[str, str]) -> str:
    """Return a model by its name, a file by its own."""
    return models.get(text) or (Path(text).name if "/" in text else text)
