"""The edits that were gathered, with undo and redo; no Qt in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from studio.gui.graph.scene import Scene
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.models.surgery.results import EditOutcome
    from studio.workspace import GraphView

_MOST_ACTIONS = 3


class EditList:
    """The texts of edits in their order, with the earlier lists for undo."""

    def __init__(self) -> None:
        self._history: list[tuple[str, ...]] = [()]
        self._place = 0

    @property
    def edits(self) -> tuple[str, ...]:
        """The list as it is."""
        return self._history[self._place]

    @property
    def can_undo(self) -> bool:
        """Whether there was a list before."""
        return self._place > 0

    @property
    def can_redo(self) -> bool:
        """Whether something was undone."""
        return self._place < len(self._history) - 1

    def add(self, edit: str) -> None:
        """Add an edit at the end."""
        self._become((*self.edits, edit))

    def remove(self, place: int) -> None:
        """Remove an edit."""
        self._become((*self.edits[:place], *self.edits[place + 1 :]))

    def undo(self) -> None:
        """Restore the previous list."""
        self._place = max(self._place - 1, 0)

    def redo(self) -> None:
        """Redo the edit that was undone last."""
        self._place = min(self._place + 1, len(self._history) - 1)

    def _become(self, edits: tuple[str, ...]) -> None:
        self._history = [*self._history[: self._place + 1], edits]
        self._place += 1


@dataclass(frozen=True, slots=True)
class EditProposal:
    """An edit that fits a place in the graph.

    Attributes:
        edit: Identifier of the edit.
        values: By the name of the option.
    """

    title: str
    edit: str
    values: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class FailedEdit:
    """The reason why an edit could not be applied."""

    text: str


def proposals(scene: Scene, box: int) -> list[EditProposal]:
    """Return the proposed edits of the values around a box."""
    what = scene.boxes[box]
    if what.node is None:
        return [_rename(what.name)]
    node = what.node
    reads = [name for name in node.inputs if name and name not in scene.graph.initializers]
    writes = [name for name in node.outputs if name]
    found = [_rename(name) for name in writes[:_MOST_ACTIONS]]
    if reads:
        found.append(EditProposal("Extract from here", "extract", {"start": reads}))
    if writes:
        found.append(EditProposal("Extract up to here", "extract", {"end": writes}))
    return found


def described(outcome: EditOutcome | FailedEdit | None) -> str:
    """Return the effect of an edit, and whether the outputs stayed the same."""
    if outcome is None:
        return "not applied yet"
    if isinstance(outcome, FailedEdit):
        return f"failed: {outcome.text}"
    equality = outcome.equality
    if not equality or not equality.samples:
        return f"{outcome.text}; outputs differ by design, not compared"
    within = f"within {equality.max_error:.2g}" if equality.max_error else "exactly"
    return f"{outcome.text}; outputs match on {equality.samples} samples, {within}"


def _rename(name: str) -> EditProposal:
    return EditProposal(f"Rename “{name}”…", "rename", {"names": [f"{name}="]})


def named(view: GraphView) -> dict[str, Callable[[], Iterable[str]]]:
    """Return the names in a graph for options, by ``Option.names``; read on demand."""
    graph = view.model.graph

    def values() -> Iterable[str]:
        yield from (value.name for value in graph.inputs)
        for node in graph.nodes:
            yield from (name for name in node.outputs if name)

    def sizes() -> Iterable[str]:
        for value in graph.inputs:
            yield value.name
            shape = value.type.shape if value.type is not None else None
            yield from (size for size in shape or () if isinstance(size, str))

    return {
        "value": values,
        "input": lambda: (value.name for value in graph.inputs),
        "output": lambda: (value.name for value in graph.outputs),
        "size": sizes,
    }
