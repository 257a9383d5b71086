"""Which steps may be done on other computers."""

from __future__ import annotations

from studio.api import Permission, UsageError
from studio.jobs import AnyStep, Effect
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
