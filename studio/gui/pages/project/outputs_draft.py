"""What the outputs of the current model mean: recognised, confirmed, or changed in a form."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu, QWidget

from studio.gui.pages.project.model_rows import SampleState
from studio.gui.pages.project.outputs_dialog import OutputsDialog
from studio.gui.pages.project.rows import ProjectRow
from studio.gui.pages.shared.question import Question

if TYPE_CHECKING:
    from studio.gui.shell import Shell
    from studio.projects.results import Project
    from studio.workspace import VariantRecord, Workspace

STEP = "project-outputs"
FIELD = "outputs"
_FILE = "outputs.toml"
_MOST_BYTES = 1 << 20
_LISTS = ("labels", "dictionary")
_DATA = ("evaluation", "heldout", "calibration")


class OutputsDraft:
    """The menu of the row with the output settings.

    Args:
        parent: A dressed part of the page.
        start: Starts the step with options.

    Attributes:
        question, dialog: What is open; None before the first one.
    """

    def __init__(
        self,
        workspace: Workspace,
        shell: Shell,
        parent: QWidget,
        start: Callable[[Mapping[str, object]], object],
    ) -> None:
        self._workspace, self._shell, self._parent = workspace, shell, parent
        self._start = start
        self.question: Question | None = None
        self.dialog: OutputsDialog | None = None

    def fill(
        self, menu: QMenu, variant: VariantRecord, project: Project, state: SampleState
    ) -> None:
        """Offer to confirm what was recognised, and to change it."""
        text = _draft(state)
        if text and not project.outputs:
            menu.addAction("Confirm…", partial(self._confirm, variant, project, text))
        menu.addAction("Change…", partial(self._change, variant, project, text))

    def _confirm(self, variant: VariantRecord, project: Project, text: str) -> None:
        path = self._path(variant)
        if path is None:
            return
        self.question = Question(
            self._parent,
            f"Write {_FILE} next to {variant.model_name}?",
            f"{path}\n\n{text}",
            "Write",
            partial(self._start, {**_known(variant, project), "replace": False}),
        )
        self.question.open()

    def _change(self, variant: VariantRecord, project: Project, text: str) -> None:
        """Open the form, with the values of the file where there is one."""
        path = self._path(variant)
        if path is None:
            return
        file = Path(project.outputs) if project.outputs else None
        read = partial(_values, file, text)
        self._workspace.in_background(read, partial(self._open, variant, project, path))

    def _open(
        self,
        variant: VariantRecord,
        project: Project,
        path: Path,
        values: Mapping[str, object] | Exception,
    ) -> None:
        if isinstance(values, Exception):
            self._shell.fail(values)
            return
        known = {**_known(variant, project), "replace": True}
        self.dialog = OutputsDialog(
            path,
            self._workspace.steps[STEP].form,
            values,
            lambda given: self._start({**known, **given}),
            self._parent,
        )
        self.dialog.open()

    def _path(self, variant: VariantRecord) -> Path | None:
        source = self._workspace.registry.original(variant).source_file
        if source is None:
            self._shell.notify(f"The folder of {variant.model_name} is gone.", "warning")
            return None
        return source.parent / _FILE


def with_meaning(each: ProjectRow, state: SampleState) -> ProjectRow:
    """Return the row of the output settings with what was recognised, until it is confirmed."""
    run = state.result.run if state.result is not None else None
    if each.field != FIELD or not each.can_change or each.whole or run is None or not run.meaning:
        return each
    text = f"{run.meaning}. Recognised, not confirmed."
    return replace(each, value=text, source=f"{run.sample}, on this computer")


def _draft(state: SampleState) -> str:
    run = state.result.run if state.result is not None else None
    return run.outputs if run is not None else ""


def _known(variant: VariantRecord, project: Project) -> dict[str, object]:
    """Return the model with the project's data and lists; ``none`` keeps it from other values."""
    data = project.usable(*_DATA)
    found: dict[str, object] = {"model": f"#{variant.id}", "data": data[0] if data else "none"}
    for name in _LISTS:
        found[name] = next(iter(project.usable(name)), "none")
    return found


def _values(file: Path | None, text: str) -> Mapping[str, object]:
    """Return the settings of a file, or of a draft; none of a file that is no TOML."""
    if file is not None:
        try:
            with file.open("rb") as content:
                text = content.read(_MOST_BYTES).decode()
        except (OSError, UnicodeDecodeError):
            return {}  # the row says what is wrong with it
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
