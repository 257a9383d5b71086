"""Which steps may be done on other computers, and what a node must have for that."""

from __future__ import annotations

from collections.abc import Mapping

from studio.api import Permission, UsageError
from studio.jobs import AnyStep, Effect
from studio.jobs.spread.document import TaskDocument
from studio.steps.catalogue import steps


def spreads(step: AnyStep) -> bool:
    """Return whether the work of a step may be a task on another computer."""
    return step.spreads and step.effect is Effect.PURE


def check_spreads(step: AnyStep, needs: frozenset[Permission]) -> None:
    """Refuse a step whose work must be done on this computer.

    Raises:
        UsageError: in one sentence, with the steps that may be done elsewhere.
    """
    if needs:
        raise UsageError(
            f"The step {step.name} needs this computer's network or keys for its target.",
            hint="Leave out --on.",
        )
    if not spreads(step):
        names = ", ".join(sorted(name for name, one in steps().items() if spreads(one)))
        raise UsageError(
            f"The step {step.name} runs on this computer only.", hint=f"With --on: {names}."
        )


def why_not_there(document: TaskDocument, step: AnyStep, here: Mapping[str, str]) -> str:
    """Return why a node may not do a task; empty when it may.

    Args:
        here: Versions of what computes on the node.
    """
    if not spreads(step):
        return f"A node does not do the step {document.step}."
    wanted = document.tools
    for name in ("edgewright", "python", *wanted):
        there, own = wanted.get(name, ""), here.get(name, "")
        if name == "python":
            there, own = (".".join(text.split(".")[:2]) for text in (there, own))
        if there != own:
            return _differs("Edgewright" if name == "edgewright" else name, own, there)
    return ""


def _differs(name: str, own: str, wanted: str) -> str:
    has = f"has {name} {own}" if own else f"has no {name}"
    return f"The node {has}, but this computer {wanted}: install the same version there."
