"""Steps of a pipeline that are started before their turn; a feature starts them."""

from __future__ import annotations

from collections.abc import Callable

from studio.documents.dataclass_json import JsonValue
from studio.feature_host import Slot
from studio.jobs import JobOutcome
from studio.pipelines.order import Needs
from studio.pipelines.pipeline import PipelineStep
from studio.pipelines.run_options import RunOptions
from studio.steps.runner import StepRunner


class StepsAhead:
    """The steps of one run that were started ahead and have not been taken yet: none.

    A feature's class starts some where the run names an executor.
    """

    def begin(
        self, steps: tuple[PipelineStep, ...], needs: Needs, done: set[str], held: set[str]
    ) -> None:
        """Begin what can be started.

        Args:
            done: Ids of the finished steps.
            held: Ids of the steps that a gate holds back.
        """

    def __contains__(self, step: str) -> bool:
        """Return whether a step was started, by its id."""
        return False

    def take(self, step: PipelineStep) -> JobOutcome | None:
        """Wait for a step that was started; None for another."""
        return None

    def cancel(self) -> None:
        """Cancel all that was started; may be called from any thread."""

    def close(self) -> None:
        """Cancel what was not taken, and wait for its end."""


OptionsOf = Callable[[PipelineStep], dict[str, JsonValue]]
"""Returns the resolved options of a step whose needs are finished."""

_AHEAD: Slot[Callable[[StepRunner, RunOptions, OptionsOf, str], StepsAhead]] = Slot(
    "steps ahead of pipelines"
)


def steps_ahead(runner: StepRunner, run: RunOptions, options: OptionsOf, source: str) -> StepsAhead:
    """Return the steps ahead of a run, which ``source`` asked for."""
    for make in _AHEAD.added() if run.on else ():
        return make(runner, run, options, source)
    return StepsAhead()
