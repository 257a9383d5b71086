"""The nodes that the current project keeps in float, and the jobs that change them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.gui.names import shown
from studio.gui.shell import MessageAction, Shell
from studio.lazy_dataclass import dataclass
from studio.workspace import JobFinished

if TYPE_CHECKING:
    from studio.projects.results import Project
    from studio.workspace import RunningJob, VariantRecord

STEP = "project-set"


@dataclass(frozen=True, slots=True)
class _ListChange:
    """A change of the list of one model.

    Attributes:
        variant: Number of a variant of the model.
        text: The sentence after success.
    """

    variant: int
    model: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    text: str


class FloatNodes(QObject):
    """The list of the current model; changes run one after the other.

    Signals:
        changed: The list has other names, or is that of another model.
    """

    changed = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self._variant: VariantRecord | None = None
        self._changes: list[_ListChange] = []
        self._lists: dict[str, tuple[str, ...]] = {}
        self._job: RunningJob | None = None
        shell.project.changed.connect(self.changed)

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Set another current variant."""
        self._variant = variant

    @property
    def is_known(self) -> bool:
        """Whether the project of the current model is read."""
        return self._project is not None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the nodes, with the changes that are still being made."""
        return self._names_of(self._variant.model_name) if self._variant is not None else ()

    @property
    def _project(self) -> Project | None:
        project, variant = self._shell.project.value, self._variant
        is_own = project and variant and project.model == variant.model_name
        return project if is_own else None

    def _names_of(self, model: str) -> tuple[str, ...]:
        for change in reversed(self._changes):
            if change.model == model:
                return change.after
        project = self._project
        if project is not None and project.model == model:
            return project.float_nodes
        return self._lists.get(model, ())

    def keep(self, nodes: Sequence[str], title: str) -> None:
        """Keep nodes in float, and report it under a title."""
        before = self.names
        added = tuple(name for name in dict.fromkeys(nodes) if name not in before)
        self._ask((*before, *added), f"Kept in float: {shown(title)}")

    def release(self, nodes: Sequence[str], title: str) -> None:
        """Keep nodes in float no longer, and report it under a title."""
        removed = frozenset(nodes)
        after = tuple(name for name in self.names if name not in removed)
        self._ask(after, f"No longer kept in float: {shown(title)}")

    def on_event(self, event: object) -> None:
        """Follow the job of the first change."""
        if not (isinstance(event, JobFinished) and event.job is self._job and self._changes):
            return
        change, outcome = self._changes.pop(0), event.job.outcome
        self._job = None
        if outcome is not None and outcome.ok:
            self._lists[change.model] = change.after
            if self._variant is not None and self._variant.model_name == change.model:
                self._shell.project.show(outcome.result)
            undo = MessageAction("Undo", partial(self._undo, change))
            self._shell.notify(change.text, "good", undo)
        self.changed.emit()
        self._start()

    def _ask(self, after: tuple[str, ...], text: str) -> None:
        if self._variant is not None and after != self.names:
            variant = self._variant
            self._add(_ListChange(variant.id, variant.model_name, self.names, after, text))

    def _undo(self, change: _ListChange) -> None:
        """Revert what a change added to or removed from the list of its model, and no more."""
        now = self._names_of(change.model)
        added = frozenset(change.after) - frozenset(change.before)
        missing = (name for name in change.before if name not in change.after + now)
        after = (*(name for name in now if name not in added), *missing)
        text = "Undone: " + change.text[:1].lower() + change.text[1:]
        self._add(_ListChange(change.variant, change.model, now, after, text))

    def _add(self, change: _ListChange) -> None:
        self._changes.append(change)
        self.changed.emit()
        self._start()

    def _start(self) -> None:
        if self._job is not None or not self._changes:
            return
        change = self._changes[0]
        options = {"model": f"#{change.variant}", "float_nodes": list(change.after)}
        self._job = self._shell.start(STEP, **options)
        if self._job is None:  # the reason is shown
            self._changes.clear()
            self.changed.emit()
