"""The order of a pipeline's steps, by references, gates and access to targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from studio.api import Kind
from studio.pipelines.pipeline import Gate, Pipeline, PipelineStep
from studio.pipelines.references import head, is_of_every_cell, references
from studio.steps.catalogue import step as step_named

Needs = dict[str, set[str]]
"""The steps that must run before each step."""


class Cycle(Exception):
    """An error for steps that wait for each other.

    Attributes:
        ids: The steps, each waiting for the next; the first is repeated at the end.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(" -> ".join(ids))
        self.ids = tuple(ids)


def needs_of(steps: Sequence[PipelineStep], cells: Mapping[str, tuple[str, ...]]) -> Needs:
    """Return the steps that each step waits for, by references or explicitly."""
    known = {step.id for step in steps}
    needs: Needs = {}
    for step in steps:
        named = {name for value in step.options.values() for name in mentioned(value, cells)}
        needs[step.id] = (named | set(step.after)) & known
    return needs


def mentioned(value: object, cells: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return the ids of the steps that a value refers to."""
    found: set[str] = set()
    for dotted in references(value):
        first = head(dotted)
        found |= set(cells.get(first, ())) if is_of_every_cell(dotted) else {first}
    return found


def gate_needs(gate: Gate, cells: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return the ids of the steps whose results a gate evaluates."""
    found = {name for v in (gate.value, *gate.settings.values()) for name in mentioned(v, cells)}
    return found | ({gate.of} if gate.of else set())


def ordered(
    steps: Sequence[PipelineStep], gates: Sequence[Gate], cells: Mapping[str, tuple[str, ...]]
) -> tuple[PipelineStep, ...]:
    """Return the steps in an executable order, as close as possible to the written one.

    Steps that access targets keep their relative order. A step with effects outside comes after all
    steps that the gates evaluate, unless those depend on it.

    Raises:
        Cycle: when steps wait for each other.
    """
    needs = needs_of(steps, cells)
    # Raise the error of a written cycle before added dependencies can appear in its message.
    _sorted(steps, needs)
    _chain(steps, needs)
    _guard(steps, gates, needs, cells)
    return _sorted(steps, needs)


def guards(
    steps: Sequence[PipelineStep], gates: Sequence[Gate], cells: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[Gate, ...]]:
    """Return the gates that must pass before each step with effects outside.

    Gates that evaluate results of that step, or of later ones, are left out.
    """
    needs = needs_of(steps, cells)
    _chain(steps, needs)
    found = {}
    for step in steps:
        if step_named(step.step).waits_for_gates:
            later = _following(step.id, needs)
            found[step.id] = tuple(g for g in gates if not gate_needs(g, cells) & later)
    return found


def without_targets(pipeline: Pipeline) -> Pipeline:
    """Return a pipeline without the steps on targets, the steps that need them, and their gates."""
    needs = needs_of(pipeline.steps, pipeline.cells)
    left_out = {
        name for step in pipeline.steps if _is_outside(step) for name in _following(step.id, needs)
    }
    return replace(
        pipeline,
        steps=tuple(step for step in pipeline.steps if step.id not in left_out),
        gates=tuple(g for g in pipeline.gates if not gate_needs(g, pipeline.cells) & left_out),
    )


def _is_outside(step: PipelineStep) -> bool:
    """Whether a step changes what others see, or reaches a target."""
    form = step_named(step.step).form
    targets = {option.name for option in form if option.kind is Kind.TARGET}
    return step_named(step.step).keeps_order or bool(targets & set(step.options))


def _chain(steps: Iterable[PipelineStep], needs: Needs) -> None:
    """Make each step that accesses targets wait for the previous one, unless that is a cycle."""
    last = ""
    for step in steps:
        if step_named(step.step).keeps_order:
            if last and last not in _following(step.id, needs):
                needs[step.id].add(last)
            last = step.id


def _guard(
    steps: Iterable[PipelineStep],
    gates: Iterable[Gate],
    needs: Needs,
    cells: Mapping[str, tuple[str, ...]],
) -> None:
    gates = tuple(gates)
    for step in steps:
        if step_named(step.step).waits_for_gates:
            later = _following(step.id, needs)
            for gate in gates:
                wanted = gate_needs(gate, cells)
                if not wanted & later:
                    needs[step.id] |= wanted & set(needs)


def _following(start: str, needs: Needs) -> set[str]:
    """Return a step and all steps that depend on it, directly or not."""
    found = {start}
    grown = True
    while grown:
        more = {name for name, wanted in needs.items() if name not in found and wanted & found}
        found |= more
        grown = bool(more)
    return found


def _sorted(steps: Sequence[PipelineStep], needs: Needs) -> tuple[PipelineStep, ...]:
    """Return a topological order that prefers the earliest written step."""
    left, done, found = list(steps), set[str](), list[PipelineStep]()
    while left:
        step = next((one for one in left if needs[one.id] <= done), None)
        if step is None:
            raise Cycle(_cycle(left, needs))
        left.remove(step)
        done.add(step.id)
        found.append(step)
    return tuple(found)


def _cycle(left: Sequence[PipelineStep], needs: Needs) -> list[str]:
    """Return one cycle among steps that all wait."""
    waiting = {step.id for step in left}
    path = [left[0].id]
    while True:
        following = min(needs[path[-1]] & waiting)
        if following in path:
            return [*path[path.index(following) :], following]
        path.append(following)
