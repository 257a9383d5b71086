"""The end of a run of a project's pipeline, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.registry.run_records import GateReport
    from studio.workspace.run_info import RunInfo


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What came of a run.

    Attributes:
        tone: ``good``, ``warning`` or ``bad``.
        served: Whether its model is served now.
    """

    text: str
    tone: str
    served: bool = False


def run_end(run: RunInfo) -> RunEnd:
    """Return what came of a run, with the reason where it ended early."""
    if run.state == "succeeded":
        passed = len(run.gates)
        checks = "1 check" if passed == 1 else f"{passed} checks"
        text = f"{run.name} int8 is served on this computer. {checks} passed."
        return RunEnd(text, "good", served=True)
    if run.state == "cancelled":
        return RunEnd("Run it all was cancelled. What was made before is kept.", "warning")
    served = any(one.id == "deploy" and one.done for one in run.steps)
    missed = next((one for one in run.gates if not one.passed and one.value is not None), None)
    if run.state == "gate not met" and missed is not None:
        return RunEnd(_missed(missed, served), "bad")
    failed = next((one for one in run.steps if one.state == "failed"), None)
    if failed is None:
        return RunEnd("Run it all failed.", "bad")
    return RunEnd(f"Run it all stopped: {failed.message} {failed.hint}".strip(), "bad")


def _missed(gate: GateReport, served: bool) -> str:
    outcome = "The model is served nevertheless." if served else "Nothing was deployed."
    return f"Check failed: {gate.name} ({gate.value:.3g}, {gate.limit}). {outcome}"
