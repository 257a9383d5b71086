"""How far the current model has come: the state of each stage for the rail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.gui.window.rail import StageState
from studio.gui.window.stages import STAGES, stage_of_step

if TYPE_CHECKING:
    from studio.gui.window.selection import Current
    from studio.workspace import RunningJob, Workspace


class Progress:
    """Reads the registry and the jobs of this session.

    A failure is remembered until the stage succeeds or another model is shown.
    """

    def __init__(self, workspace: Workspace, current: Current) -> None:
        self._workspace = workspace
        self._current = current
        self._failed: set[tuple[int, str]] = set()

    def stage_of(self, job: RunningJob) -> str:
        """The stage that a job belongs to; empty for none."""
        steps = self._workspace.steps.items()
        entry = job.spec.entry
        return next((stage_of_step(name) for name, step in steps if step.work == entry), "")

    def note_end(self, job: RunningJob) -> None:
        """Remember how a job ended."""
        variant, outcome, stage = self._current.variant, job.outcome, self.stage_of(job)
        # A file that could not be opened says nothing of the model that is shown.
        if variant is None or outcome is None or stage == "model":
            return
        key = (variant.model, stage)
        if outcome.ok:
            self._failed.discard(key)
        elif outcome.end.value != "cancelled":
            self._failed.add(key)

    def states(self) -> dict[str, StageState]:
        """The state of each stage."""
        running = {self.stage_of(job) for job in self._workspace.jobs if job.running}
        variant, done = self._current.variant, self._done()
        states = {}
        for stage in STAGES:
            states[stage.id] = StageState.NONE
            if stage.id in running:
                states[stage.id] = StageState.RUNNING
            elif variant is not None and (variant.model, stage.id) in self._failed:
                states[stage.id] = StageState.FAILED
            elif stage.id in done:
                states[stage.id] = StageState.DONE
        return states

    def _done(self) -> set[str]:
        variant = self._current.variant
        if variant is None:
            return set()
        registry, variants = self._workspace.registry, self._current.variants
        done = {"model"}
        if len(variants) > 1:
            done.add("quantize")
        if any(registry.runs("profile", each.id, most=1) for each in variants):
            done.add("profile")
        if registry.history.has(variant.model):
            done |= {"deploy", "monitor"}
        return done
