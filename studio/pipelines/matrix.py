"""The matrix of a pipeline: a step that uses an axis becomes one step per value."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from studio.documents.dataclass_json import JsonValue
from studio.pipelines.pipeline import Gate, PipelineStep
from studio.pipelines.references import (
    MATRIX,
    head,
    is_of_every_cell,
    references,
    renamed,
    with_cell,
)

Axes = Mapping[str, Sequence[JsonValue]]
_UNSAFE = re.compile(r"[^\w-]+")


class Matrix:
    """Steps and gates expanded over the axes.

    A step has the axes that it refers to (``${matrix.target}``), and the axes of the steps that it
    refers to. A reference to such a step means the same cell; ``${step.*.key}`` means all cells.
    ``${step.*.key}``.

    Attributes:
        cells: Ids of the expanded steps, by the original id.
    """

    def __init__(self, axes: Axes, steps: Sequence[PipelineStep]) -> None:
        self._axes = axes
        self._written = {step.id: step for step in steps}
        self._of: dict[str, frozenset[str]] = {}
        self.cells: dict[str, tuple[str, ...]] = {}
        for step in steps:
            self._axes_of(step.id, ())
        self.steps = tuple(made for step in steps for made in self._spread(step))

    def gates(self, gates: Iterable[Gate]) -> tuple[Gate, ...]:
        """Return the gates, one for each cell of the steps that they evaluate."""
        made: list[Gate] = []
        for gate in gates:
            mine = self._mentioned((gate.value, *gate.settings.values()), [gate.of])
            for cell in self._cells(mine):
                names = self._names(cell)
                suffix = f" ({', '.join(map(str, cell.values()))})" if cell else ""
                made.append(
                    replace(
                        gate,
                        name=f"{gate.name}{suffix}",
                        of=names.get(gate.of, gate.of),
                        value=str(with_cell(renamed(gate.value, names), cell)),
                        settings={k: renamed(v, names) for k, v in gate.settings.items()},
                        cell=cell,
                    )
                )
        return tuple(made)

    def _spread(self, step: PipelineStep) -> list[PipelineStep]:
        made = []
        for cell in self._cells(self._of[step.id]):
            names = self._names(cell)
            options = {k: with_cell(renamed(v, names), cell) for k, v in step.options.items()}
            after = tuple(name for one in step.after for name in self._all_or_own(one, names))
            new = replace(step, id=_id(step.id, cell), options=options, after=after, cell=cell)
            made.append(new)
        if self._of[step.id]:
            self.cells[step.id] = tuple(one.id for one in made)
        return made

    def _all_or_own(self, name: str, names: Mapping[str, str]) -> tuple[str, ...]:
        """Return the cells of a step to wait for: the same cell if there is one, else all."""
        if name in names:
            return (names[name],)
        axes = self._of.get(name, frozenset())
        return tuple(_id(name, cell) for cell in self._cells(axes))

    def _cells(self, axes: frozenset[str]) -> list[dict[str, JsonValue]]:
        mine = [axis for axis in self._axes if axis in axes]
        values = itertools.product(*(self._axes[axis] for axis in mine))
        return [dict(zip(mine, combination, strict=True)) for combination in values]

    def _names(self, cell: Mapping[str, JsonValue]) -> dict[str, str]:
        """Return the ids in a cell of the steps that have some or all of its axes."""
        return {
            name: _id(name, {axis: cell[axis] for axis in self._axes if axis in axes})
            for name, axes in self._of.items()
            if axes and axes <= set(cell)
        }

    def _axes_of(self, name: str, seen: tuple[str, ...]) -> frozenset[str]:
        if name not in self._of:
            if name in seen:  # a cycle, which the ordering reports
                return frozenset()
            step = self._written[name]
            found = self._mentioned(step.options.values(), (), (*seen, name))
            self._of[name] = found
        return self._of[name]

    def _mentioned(
        self, values: Iterable[JsonValue], names: Iterable[str], seen: tuple[str, ...] = ()
    ) -> frozenset[str]:
        found: set[str] = set()
        wanted = list(names)
        for dotted in (one for value in values for one in references(value)):
            if head(dotted) == MATRIX:
                found.add(dotted.split(".")[1])
            elif not is_of_every_cell(dotted):
                wanted.append(head(dotted))
        for name in wanted:
            if name in self._written:
                found |= self._axes_of(name, seen)
        return frozenset(found)


def _id(name: str, cell: Mapping[str, JsonValue]) -> str:
    return "@".join([name, *(_UNSAFE.sub("-", str(value)) for value in cell.values())])
