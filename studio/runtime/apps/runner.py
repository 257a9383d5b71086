"""Run of the graph on frames: each step once, after its inputs, with a time for each stage."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from .graph import AppGraph, Step
from .items import EVENTS, NOTHING, Event, FrameStamp, StepOutput
from .mailbox import ReadFrame
from .measures import StageTimes
from .parts import AppContext, StepProcessor

_clock = time.perf_counter


class FrameResult(NamedTuple):
    """Result of the graph for one frame.

    Attributes:
        values: Of each part that gave one, by its name.
        events: By the name of the step.
        failed: Why a step failed on it; empty if none did.
    """

    stamp: FrameStamp
    values: Dict[str, Any]
    events: Dict[str, Tuple[Event, ...]]
    failed: str = ""

    @property
    def all_events(self) -> List[Event]:
        """All events, in the order of the steps."""
        return [event for events in self.events.values() for event in events]


class _Stage(NamedTuple):
    """One step with its processors, by source."""

    step: Step
    processors: Dict[str, StepProcessor]
    times: StageTimes
    batch: Optional[Callable[..., Sequence[StepOutput]]]


class GraphRunner:
    """The steps of a graph at work.

    A step that raises loses its frame alone: what follows from it is left out, and the frame
    counts as failed.

    Attributes:
        failed: Frames on which a step failed.
        fault: Why the latest of them did, in one sentence.
    """

    def __init__(self, graph: AppGraph, context: AppContext) -> None:
        """Make the processors of all steps.

        Raises:
            AppError: for a step that cannot be made, such as one with an unknown model.
        """
        self.failed = 0
        self.fault = ""
        self._stages = [_stage(step, context) for step in graph.steps]

    def run(self, frames: Sequence[ReadFrame]) -> List[FrameResult]:
        """Run all steps on at most one frame of each source."""
        results = [FrameResult(one.stamp, {one.stamp.source: one.data}, {}) for one in frames]
        for stage in self._stages:
            began = _clock()
            concerned = [
                at for at, one in enumerate(frames) if one.stamp.source in stage.step.sources
            ]
            if not concerned:
                continue
            if stage.batch is not None and len(concerned) > 1:
                self._run_batch(stage, stage.batch, results, concerned)
            else:
                for at in concerned:
                    results[at] = self._run_one(stage, results[at])
            spent = (_clock() - began) / len(concerned)
            for _ in concerned:
                stage.times.add(spent)
        self.failed += sum(bool(one.failed) for one in results)
        return results

    def finish(self, stamps: Dict[str, FrameStamp]) -> List[Event]:
        """Return the events with which recordings end.

        Args:
            stamps: Of the last frame of each source.
        """
        events: Dict[str, Tuple[Event, ...]] = {}
        for stage in self._stages:
            for source, stamp in stamps.items():
                processor = stage.processors.get(source)
                if processor is None:
                    continue
                came = _events_for(stage.step, events)
                found = [processor.process(stamp, came)] if came else []
                finish = getattr(processor, "finish", None)
                if finish is not None:
                    found.append(finish(stamp))
                of_step = tuple(event for output in found for event in output.events)
                events[stage.step.name] = events.get(stage.step.name, ()) + of_step
        return [event for found in events.values() for event in found]

    def times(self) -> Dict[str, Dict[str, object]]:
        """Return the time of each step in milliseconds."""
        return {stage.step.name: stage.times.to_json() for stage in self._stages}

    def _run_one(self, stage: _Stage, result: FrameResult) -> FrameResult:
        processor = stage.processors[result.stamp.source]
        for value in _inputs(stage.step, result):
            try:
                output = processor.process(result.stamp, value)
            except BaseException as error:  # a step's own fault must not end the others
                return self._failure(stage.step, result, error)
            _keep(stage.step.name, result, output)
        return result

    def _run_batch(
        self,
        stage: _Stage,
        run: Callable[..., Sequence[StepOutput]],
        results: List[FrameResult],
        concerned: Sequence[int],
    ) -> None:
        asked = [(at, value) for at in concerned for value in _inputs(stage.step, results[at])]
        if not asked:
            return
        try:
            outputs = run([results[at].stamp for at, _ in asked], [value for _, value in asked])
        except BaseException:  # whose fault it is shows when each runs alone
            for at in concerned:
                results[at] = self._run_one(stage, results[at])
            return
        for (at, _), output in zip(asked, outputs):
            _keep(stage.step.name, results[at], output)

    def _failure(self, step: Step, result: FrameResult, error: BaseException) -> FrameResult:
        text = str(error).strip().split("\n")[0][:200] or "no reason given"
        self.fault = "The step {} failed: {}".format(step.name, text)
        return result._replace(failed=self.fault)


def _stage(step: Step, context: AppContext) -> _Stage:
    make = step.type.make
    if step.type.shared:
        one = make(step.name, step.settings, context)
        processors = dict.fromkeys(step.sources, one)
    else:
        processors = {source: make(step.name, step.settings, context) for source in step.sources}
    first = next(iter(processors.values()), None)
    return _Stage(step, processors, StageTimes(), getattr(first, "process_batch", None))


def _inputs(step: Step, result: FrameResult) -> List[Any]:
    """Return the values of a step's inputs that this frame has."""
    if step.inputs[0].kind == EVENTS:
        return [_events_for(step, result.events)]
    found = [result.values.get(one.part) for one in step.inputs]
    return [value for value in found if value is not None]


def _events_for(step: Step, events: Dict[str, Tuple[Event, ...]]) -> Tuple[Event, ...]:
    if step.inputs[0].kind != EVENTS:
        return ()
    return tuple(event for one in step.inputs for event in events.get(one.part, ()))


def _keep(name: str, result: FrameResult, output: StepOutput) -> None:
    if output is NOTHING:
        return
    if output.value is not None:
        result.values[name] = output.value
    if output.events:
        result.events[name] = result.events.get(name, ()) + output.events
