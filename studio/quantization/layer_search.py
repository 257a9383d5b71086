"""The search as part of a job: variants made, scored and timed; samples kept away from it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import (
    Dataset,
    GateMissed,
    Progress,
    Sample,
    Session,
    Transform,
    Transformed,
    UsageError,
)
from studio.evaluation.comparison import Latency
from studio.evaluation.judge import Evaluator, Scored
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.recurrent import Span
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.quantization.results import LayerTiming, SearchCandidate, SearchReport
from studio.quantization.search_strategy import Goal, SearchResult, search
from studio.quantization.sensitivity_store import costs_from
from studio.quantization.step import QuantizeOptions
from studio.quantization.tuner import Cost, Tuner, tuner_of
from studio.quantization.variant_timing import timed, usual_threads

_LEAST = 2
_KEPT_BYTES = 128 << 20
_PART = 4
_ENOUGH_TO_REJECT = 24
_ERRORS = 2.0
"""Standard errors by which a part of the samples must miss the limit to reject a candidate."""


class EveryNth:
    """Every n-th sample of a dataset: one half for the search, the other for the verdict."""

    def __init__(self, dataset: Dataset, first: int, step: int = 2) -> None:
        self._dataset, self._first, self._step = dataset, first, step

    def __len__(self) -> int:
        return (len(self._dataset) + self._step - 1 - self._first) // self._step

    def __iter__(self) -> Iterator[Sample]:
        step, first = self._step, self._first
        return (s for index, s in enumerate(self._dataset) if index % step == first)


class CachedDataset:
    """A dataset whose samples are read once and kept, where all of them are small together."""

    def __init__(self, dataset: Dataset) -> None:
        first = next(iter(dataset))
        size = sum(array.nbytes for array in first.feeds.values()) * len(dataset)
        self._samples = list(dataset) if size <= _KEPT_BYTES else dataset

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._samples)


def halves(dataset: Dataset, apart: bool = False) -> tuple[Dataset, Dataset]:
    """Split the dataset into search samples and held-out samples.

    Args:
        apart: Split into first and second half, for samples that follow each other.

    Raises:
        UsageError: when there are not enough for both.
    """
    if len(dataset) < _LEAST:
        raise UsageError(
            "Layer search needs at least two labelled samples.",
            hint="Add samples, or pass --heldout-data.",
        )
    if apart:
        middle = len(dataset) // 2
        return Span(dataset, 0, middle), Span(dataset, middle, len(dataset))
    return EveryNth(dataset, 0), EveryNth(dataset, 1)


class LayerSearch:
    """Finds the layers that stay in float, for one model and one metric."""

    def __init__(
        self,
        subject: LoadedModel,
        judge: Evaluator,
        seen: Dataset,
        job: Job,
        options: QuantizeOptions | None = None,
    ) -> None:
        self._subject, self._judge, self._seen, self._job = subject, judge, seen, job
        self._options = options

    def run(
        self,
        transform: Transform,
        output: Path,
        options: Mapping[str, object],
        data: Dataset | None,
        goal: Goal,
    ) -> tuple[Transformed, SearchReport]:
        """Write the variant that keeps the goal best, and tell what was tried.

        Raises:
            UsageError: when the transform cannot leave layers in float.
            GateMissed: when no variant kept the goal.
        """
        make = tuner_of(transform)
        job, folder = self._job, output.with_suffix(".search")
        folder.mkdir()
        fed = None if data is None else self._subject.whole_feeds(data)
        tuner = make(self._subject.path, folder, options, fed, Phase(job, 0.02, 0.2))
        stored = costs_from(self._options, self._subject.runtime, tuner.layers)
        costs: Mapping[str, Cost] = stored or tuner.costs(Phase(job, 0.2, 0.25))
        scorer = CandidateScorer(self._subject, self._judge, self._seen, job, goal.max_drop)
        bench = _Bench(self._subject, scorer, job, tuner, folder)
        found = search(costs, bench, goal)
        if found.best is None:
            raise _missed(found, goal, self._judge)
        report = SearchReport(
            before=scorer.before.value,
            stored_sensitivity=stored is not None,
            goal=goal,
            chosen=found.best.kept,
            trials=found.trials,
            front=found.front(),
            layers={
                name: LayerTiming(cost.sqnr_db, cost.float_us, cost.int8_us, cost.gain_us)
                for name, cost in costs.items()
            },
            samples=len(self._seen),
        )
        return tuner.write(output, found.best.kept), report


class CandidateScorer:
    """Scores candidates on the samples of a search, against the float model.

    Args:
        limit: Largest loss of the metric; some of the samples may show that it is exceeded.
    """

    def __init__(
        self, subject: LoadedModel, judge: Evaluator, seen: Dataset, job: Job, limit: float | None
    ) -> None:
        self._subject, self._judge, self._limit = subject, judge, limit
        self.seen = CachedDataset(seen)
        session = subject.scoring(alone=judge.by_reference)
        phase = Phase(job, 0.25, 0.28, "Evaluating the float model")
        self.before = judge.scored(session, self.seen, phase)
        session.close()

    def scored(
        self, path: Path, kept: Sequence[str], ratio: float, progress: Progress
    ) -> SearchCandidate:
        """Score a candidate.

        Args:
            path: Its file.
            kept: Layers that stay in float.
            ratio: Its time over that of the float model.
        """
        exact = self._subject.session() if self._judge.by_reference else None
        session = self._subject.scoring(path, alone=exact is not None)
        found = SearchCandidate(tuple(kept), 0.0, ratio, path.stat().st_size)
        try:
            return self._compared(found, session, exact, progress)
        finally:
            for one in (session, exact):
                if one is not None:
                    one.close()

    def _compared(
        self, found: SearchCandidate, session: Session, exact: Session | None, progress: Progress
    ) -> SearchCandidate:
        """Return the loss on all samples, or on a part that already exceeds the limit."""
        # A part of the samples may reject a candidate early, but never accept one.
        enough = len(self.seen) >= _PART * _ENOUGH_TO_REJECT and not self._subject.fed
        if self._limit is not None and enough:
            some = EveryNth(self.seen, 0, _PART)
            part = self._judge.scored(session, some, progress, exact)
            drop, error = loss(self.before, part)
            if drop - _ERRORS * error > self._limit:
                lost, gained = part_changed(self.before, part)
                return replace(
                    found,
                    drop=drop,
                    score=part.value,
                    lost=lost,
                    gained=gained,
                    samples=len(part.each),
                )
        after = self._judge.scored(session, self.seen, progress, exact)
        drop = round(self._judge.drop(self.before.value, after.value), 9)
        lost, gained = part_changed(self.before, after)
        return replace(
            found,
            drop=drop,
            score=after.value,
            lost=lost,
            gained=gained,
            samples=len(self.seen),
        )


class _Bench:
    """Makes variants with some layers in float and measures them on the samples of the search."""

    def __init__(
        self,
        subject: LoadedModel,
        scorer: CandidateScorer,
        job: Job,
        tuner: Tuner,
        folder: Path,
    ) -> None:
        self._subject, self._scorer, self._job = subject, scorer, job
        self._tuner, self._path = tuner, folder / "trial.onnx"
        self._feeds = next(iter(scorer.seen)).feeds
        self._threads = usual_threads(subject, self._feeds)

    def timed(self, kept: Sequence[str]) -> float:
        return self._time(kept, self._phase(f"Timing with {len(kept)} layers in float")).ratio

    def tried(self, kept: Sequence[str]) -> SearchCandidate:
        phase = self._phase(f"Evaluating candidate with {len(kept)} layers in float")
        time = self._time(kept, phase)
        return self._scorer.scored(self._path, kept, time.ratio, phase)

    def _time(self, kept: Sequence[str], phase: _SubProgress) -> Latency:
        self._tuner.write(self._path, kept)
        return timed(self._subject, self._path, self._feeds, phase, self._threads)

    def _phase(self, title: str) -> _SubProgress:
        phase = Phase(self._job, 0.28, 0.5, title)
        phase.progress(0, 1)
        return _SubProgress(phase)


def loss(before: Scored, after: Scored) -> tuple[float, float]:
    """Return the mean loss of the samples, and its standard error.

    Args:
        after: Of the same samples, or of some of them; paired, so that what both get wrong does
            not count.
    """
    changes = [before.each[name] - after.each[name] for name in after.each if name in before.each]
    if len(changes) < _LEAST:
        return 0.0, math.inf
    return statistics.fmean(changes), statistics.stdev(changes) / math.sqrt(len(changes))


def part_changed(before: Scored, after: Scored) -> tuple[int, int]:
    """Return how many of the evaluated samples regressed and improved."""
    pairs = [(before.each[name], after.each[name]) for name in after.each if name in before.each]
    return sum(now < one for one, now in pairs), sum(now > one for one, now in pairs)


def _missed(found: SearchResult, goal: Goal, judge: Evaluator) -> GateMissed:
    """Return the error with the best result of each kind of candidate."""
    if not found.trials:
        return GateMissed("No layer is faster in int8 on this machine. The model stays in float.")
    title, count = judge.metric.title.lower(), len(found.trials)
    least, fastest = (
        min(found.trials, key=lambda t: t.drop),
        min(found.trials, key=lambda t: t.latency_ratio),
    )
    if goal.max_drop is not None and least.drop > goal.max_drop:
        return GateMissed(
            f"None of {count} candidates met the maximum metric drop of {goal.max_drop:g} "
            f"{title}; the best has {least.drop:.4f}.",
            hint="Add calibration data, raise --max-drop, or use fp16.",
        )
    return GateMissed(
        f"No variant in {count} trials took at most {goal.max_latency_ratio:g} of the float "
        f"model's time within the largest loss; the fastest took {fastest.latency_ratio:.2f} and "
        f"lost {fastest.drop:.4f} of {title}.",
        hint="Raise --max-latency-ratio or --max-drop.",
    )


class _SubProgress:
    """Cancellable part of the work whose share of the whole is unknown."""

    def __init__(self, phase: Phase) -> None:
        self._phase = phase

    def progress(self, done: float, total: float, text: str = "") -> None:
        self._phase.check()

    def log(self, text: str) -> None:
        self._phase.log(text)

    def check(self) -> None:
        self._phase.check()
