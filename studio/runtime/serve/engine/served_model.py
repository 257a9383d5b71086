"""A served version of a model, and how it is loaded."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import (
    TYPE_CHECKING,
    Callable,
    Deque,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
    Union,
)

from ...backends.failure import first_line
from ...bench.machine.board import identity
from ...drift.watch import DriftWatch, watch_of
from ...shared.errors import LoadError
from ...shared.threads import threads_for, usable_cores
from ..outputs.recent_answers import Answers
from ..protocol.request_template import RequestTemplates
from ..protocol.tensors import TensorSpec
from ..statistics.counters import ModelStatistics
from ..statistics.speed_monitor import SpeedMonitor, of_profiles, of_start
from .memory import give_back
from .session import ModelSession, WarmUp, golden_feeds, invented_feeds, warm_up
from .source import ModelSource
from .tuning import TuningCache, TuningResult, does_without, rows_of_a_batch

if TYPE_CHECKING:
    from pathlib import Path

    from ...drift.text_watch import TextWatch
    from ...encoder.text_encoder import TextEncoder
    from ...shared.trial_request import TrialRequest
    from .executor import Work
    from .observer import AnswerRecorder, Attached, RequestSampler
    from .pending_call import PendingCall

INLINE_BELOW_S = 0.001
"""A faster model runs in the event loop: handing it to a thread would cost as much as it."""
INLINE_ALONE_BELOW_S = 0.005
"""The same on a single core, where a thread would give no more throughput."""
_PICTURE_AXES = 4
_MOST_CHANNELS = 4
_OFTEN = 64
"""Turns after which company is no longer, or again, waited for."""


class Execution(NamedTuple):
    """Execution settings of a model.

    Attributes:
        threads: Of one inference.
        workers: Inferences at the same time.
        inline: In the event loop's own thread.
        inline_below: Seconds that a run may take for that.
    """

    threads: int
    workers: int
    inline: bool
    inline_below: float = INLINE_BELOW_S


def plan_execution(seconds: Optional[float], cores: int, threads: int = 0) -> Execution:
    """Choose how to run a model from how long one inference takes on one thread.

    Args:
        seconds: Measured; None when it could not be measured.
        threads: Setting of the user; 0 lets the measurement decide.
    """
    if not threads:
        threads = threads_for(seconds, cores)
    below = INLINE_ALONE_BELOW_S if cores == 1 else INLINE_BELOW_S
    inline = seconds is not None and seconds < below
    return Execution(threads, max(1, cores // threads), inline, below)


class ServedModel:
    """Loaded version of a model; a caller with a reference may run it even after its replacement.

    Attributes:
        inputs: Specifications of the inputs, by name.
        outputs: Specifications of the outputs, by name.
        headers: The response headers that name it, each ended with CRLF.
        inline: Whether it is run in the event loop; follows what is measured.
        numeric: No input is of texts.
        warning: Why it could not be warmed up; empty when it was.
        batch_rows: Rows of several requests that may be run together; 1: each request alone.
        plans: Templates that are retained between requests.
        waiting: The requests that wait for their turn.
        turn_is_due: The event loop will run what waits.
        turns: Handed over to threads, which have not started them.
        seen: How many waited when the event loop last checked for more.
        alone: Number of consecutive turns with a single request.
        drift: Compares its inputs and outputs with its reference data; None without such.
        mirror: Compares it with the previous release, while it is on trial.
        comparison: Makes such a comparison where that of its answers would not do, as for an app;
            None as long as it cannot begin.
        sampler: Keeps the least certain requests; None where that is not allowed.
        answers: To requests that had an id, for labels that come later.
        decisions: Records its answers; None where that is not allowed.
        generator: Answers prompts; None for a model that is no language model.
        encoder: Tokens and vectors of texts; None for a model without.
    """

    def __init__(
        self,
        source: ModelSource,
        session: ModelSession,
        execution: Execution,
        statistics: ModelStatistics,
        warning: str = "",
        batch_rows: int = 1,
        drift: Optional[Union[DriftWatch, TextWatch]] = None,
    ) -> None:
        self.source = source
        self.drift = drift
        self.mirror: Optional[Attached] = None
        self.comparison: Optional[Callable[[TrialRequest, Path], Optional[Attached]]] = None
        self.sampler: Optional[RequestSampler] = None
        self.answers = Answers(source.labels)
        self.decisions: Optional[AnswerRecorder] = None
        self.session = session
        self.generator = session.generator
        self.encoder = _encoder(source, session)
        self.inputs: Mapping[str, TensorSpec] = session.inputs
        self.outputs: Mapping[str, TensorSpec] = session.outputs
        self.execution = execution
        self.statistics = statistics
        self.inline = execution.inline
        self._inline_below = execution.inline_below
        self.warning = warning
        self.batch_rows = batch_rows
        self.plans = RequestTemplates()
        self.waiting: Deque[PendingCall] = deque()
        self.alone = 0
        self.turn_is_due = False
        self.turns: Deque[Work] = deque()
        self.seen = 0
        self._typical_s = 0.0
        self.numeric = all(spec.kind.dtype is not None for spec in self.inputs.values())
        self.headers = "Edgewright-Model-Digest: {}\r\nEdgewright-Model-Version: {}\r\n".format(
            source.digest, source.version
        )

    @property
    def name(self) -> str:
        """Name in the address of its endpoints."""
        return self.source.name

    @property
    def version(self) -> str:
        """Version number as text."""
        return self.source.version

    @property
    def is_recorded(self) -> bool:
        """Whether each answer goes to the record of decisions."""
        return self.decisions is not None and self.decisions.on

    @property
    def picture_size(self) -> Optional[Tuple[int, int]]:
        """Height and width of the one input of pictures; None where they are open."""
        shapes = [spec.shape for spec in self.inputs.values() if len(spec.shape) == _PICTURE_AXES]
        if len(shapes) != 1:
            return None
        _, first, second, third = shapes[0]
        height, width = (second, third) if first <= _MOST_CHANNELS else (first, second)
        return (height, width) if min(height, width) > 0 else None

    def stays_alone(self) -> bool:
        """Return whether waiting for other requests was in vain; waits again now and then."""
        if self.waiting or self.alone < _OFTEN:
            return False
        self.alone += 1
        return self.alone % _OFTEN != 0

    def next_batch(self) -> List[PendingCall]:
        """Return the waiting requests that one thread should run now: its share, if there are many.

        A model in the event loop takes them all: no other thread runs the rest.
        """
        workers = 1 if self.inline else self.execution.workers
        share = -(-len(self.waiting) // workers)
        taken: List[PendingCall] = []
        for _ in range(min(self.batch_rows, share)):
            try:
                taken.append(self.waiting.popleft())
            except IndexError:  # another thread was quicker
                break
        return taken

    def observe(self, seconds: float) -> None:
        """Learn from a real inference whether the event loop can afford to run the next one.

        The warm-up may have been too kind: a dynamic input is invented as small as it can be.
        """
        self._typical_s += 0.1 * (seconds - self._typical_s) if self._typical_s else seconds
        below = self._inline_below
        if self.inline:
            self.inline = seconds < 10 * below and self._typical_s < 1.5 * below
        else:
            self.inline = self._typical_s < 0.7 * below
        # Is it slow, or does it wait for a processor that others want, too?
        alone = self.session.threads == 1 and not self.session.placement.is_accelerated
        self.session.timed = alone and self._typical_s > 0.2 * below
        if not self.session.timed:
            self.session.busy_s = math.inf


def load(
    source: ModelSource, threads: int = 0, batch: int = 0, tried: Optional[TuningCache] = None
) -> ServedModel:
    """Load a version and warm it up; takes seconds, call it outside the event loop.

    Args:
        threads: Of each inference; 0 to choose by measuring.
        batch: Rows that may be run together at most; 0 to choose by measuring.
        tried: What was found when it was served before, and gets what is found now.

    Raises:
        LoadError: in one sentence.
    """
    if source.backend.generates:
        return _load_text(source, threads)
    known = tried.recall(source.digest) if tried is not None else None
    if known is not None:
        session = _session(source, known.threads, known.arena)
        warm = warm_up(session, golden_feeds(source.golden, session.inputs)[:1], 0.0)
        found: Optional[TuningResult] = known
    else:
        session, found, warm = _try(source, threads, batch)
    rows = found.rows if found is not None else 1
    if tried is not None and found is not None and not warm.warning:
        tried.store(source.digest, found)
    session.watch = drift = watch_of(source.drift)
    statistics = ModelStatistics(time.monotonic())
    statistics.pace = _pace(source, session.threads, warm, usable_cores())
    give_back()
    return ServedModel(
        source,
        session,
        _execution(session, found, threads),
        statistics,
        warm.warning,
        min(rows, batch or rows),
        drift,
    )


def _load_text(source: ModelSource, threads: int) -> ServedModel:
    """Load a language model; its loop runs it, with as many threads as it may have."""
    cores = threads or usable_cores()
    session = ModelSession(source.path, cores, False, source.backend, text=source.text)
    generator = session.generator
    assert generator is not None
    try:
        generator.warm_up()
    except Exception as error:
        generator.loop.close()
        raise LoadError("The model generates nothing: {}".format(first_line(error))) from error
    generator.guard = source.guard
    generator.watch = watch = _text_watch(source.text.drift)
    statistics = ModelStatistics(time.monotonic())
    workers = generator.model.facts.slots
    execution = Execution(cores, workers, inline=False)
    return ServedModel(source, session, execution, statistics, drift=watch)


def _text_watch(learned: int) -> Optional[TextWatch]:
    """Return a watch of prompts and answers, imported for language models alone."""
    if not learned:
        return None
    from ...drift.text_watch import TextWatch

    return TextWatch(learned)


def _encoder(source: ModelSource, session: ModelSession) -> Optional[TextEncoder]:
    """Return the encoder of texts that the bundle describes.

    Raises:
        LoadError: when it does not fit the model, or its tokenizer cannot be read.
    """
    if source.encoder is None:
        return None
    from ...encoder.text_encoder import EncoderInput, TextEncoder

    if source.encoder.output not in session.outputs:
        raise LoadError("The model lacks the output {!r}.".format(source.encoder.output[:100]))
    inputs = {}
    for spec in session.inputs.values():
        if spec.kind.dtype is None:
            raise LoadError("An encoder of texts takes numbers, not texts.")
        inputs[spec.name] = EncoderInput(spec.kind.dtype, spec.shape)
    return TextEncoder(source.encoder, source.path.parent, inputs)


def _execution(session: ModelSession, found: Optional[TuningResult], threads: int) -> Execution:
    """Return how to run a model; in the event loop only where a long run can be ended.

    With sizes that are all fixed every run takes as long as the measured ones.
    """
    seconds = found.seconds if found is not None else None
    execution = plan_execution(seconds, usable_cores(), threads)
    open_size = any(size < 0 for spec in session.inputs.values() for size in spec.shape)
    if open_size and not session.can_end:
        return execution._replace(inline=False, inline_below=0.0)
    return execution


def _try(
    source: ModelSource, threads: int, batch: int
) -> Tuple[ModelSession, Optional[TuningResult], WarmUp]:
    """Return a session that is run as is best, what that is, and why it could not be warmed up."""
    session = _session(source, threads or 1)
    golden = golden_feeds(source.golden, session.inputs)
    warm = warm_up(session, golden)
    seconds = warm.median
    execution = plan_execution(seconds, usable_cores(), threads)
    if session.placement.is_accelerated:  # threads are the accelerator's own matter
        execution = plan_execution(seconds, usable_cores(), session.threads)
    elif execution.threads != session.threads:
        del session  # two copies of a large model may not fit
        session = _session(source, execution.threads)
        warm = warm_up(session, golden)
    rows = 1
    samples = golden or [invented_feeds(session.inputs)]
    if (
        seconds is not None
        and session.arena
        and not session.placement.is_accelerated
        and does_without(source.path, session, seconds, samples[0])
    ):
        del session  # what it took is taken again, instead of more
        session = _session(source, execution.threads, arena=False)
        warm = warm_up(session, golden)
    if batch != 1 and not warm.warning:
        rows = rows_of_a_batch(session, samples)
        if rows == 1 and session.free_rows:
            session.shrink(samples[0])
    if seconds is None:
        return session, None, warm
    return session, TuningResult(seconds, execution.threads, session.arena, rows), warm


def _session(source: ModelSource, threads: int, arena: bool = True) -> ModelSession:
    return ModelSession(source.path, threads, arena, source.backend, source.acceleration)


def _pace(source: ModelSource, threads: int, warm: WarmUp, cores: int) -> SpeedMonitor:
    """Return the comparison with the profile of this machine, or else with the runs just made."""
    found, note = of_profiles(source.profiles, identity(), threads)
    return SpeedMonitor(found or of_start(warm.seconds, warm.size, warm.rows), note, cores)
