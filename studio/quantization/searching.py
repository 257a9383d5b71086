"""The search as part of a job: variants made, scored and timed; samples kept away from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.api import Dataset, GateMissed, Sample, Transform, Transformed, UsageError
from studio.jobs import Job
from studio.quantization.comparison import latency_ratio
from studio.quantization.evaluation import Judge
from studio.quantization.phases import Phase
from studio.quantization.search import Trial, search
from studio.quantization.subject import Subject

_LEAST = 2


class Every:
    """Every second sample of a dataset: one half for the search, the other for the verdict."""

    def __init__(self, dataset: Dataset, first: int) -> None:
        self._dataset, self._first = dataset, first

    def __len__(self) -> int:
        return (len(self._dataset) + 1 - self._first) // 2

    def __iter__(self) -> Iterator[Sample]:
        return (s for index, s in enumerate(self._dataset) if index % 2 == self._first)


def halves(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """The samples that a search may look at, and those that it never sees.

    Raises:
        UsageError: when there are not enough for both.
    """
    if len(dataset) < _LEAST:
        raise UsageError(
            "A search needs at least two labelled samples: one to choose, one to judge."
        )
    return Every(dataset, 0), Every(dataset, 1)


class Search:
    """Finds the layers that stay in float, for one model and one metric."""

    def __init__(self, subject: Subject, judge: Judge, seen: Dataset, job: Job) -> None:
        self._subject, self._judge, self._seen, self._job = subject, judge, seen, job
        self._before = 0.0

    def run(
        self,
        transform: Transform,
        output: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        max_drop: float,
    ) -> tuple[Transformed, dict[str, Any]]:
        """Write the fastest variant that keeps the limit, and tell what was tried.

        Raises:
            UsageError: when the transform cannot leave layers in float.
            GateMissed: when no variant kept the limit.
        """
        make = getattr(transform, "tuner", None)
        if make is None:
            raise UsageError(f"The method {transform.id} offers no layers to choose from.")
        job, folder = self._job, output.with_suffix(".search")
        folder.mkdir()
        tuner = make(self._subject.path, folder, options, data, Phase(job, 0.02, 0.2))
        costs = tuner.costs(Phase(job, 0.2, 0.25))
        session = self._subject.session()
        phase = Phase(job, 0.25, 0.28, "Evaluating the float model")
        self._before = self._judge.score(session, self._seen, phase)
        session.close()

        def attempt(kept: Collection[str]) -> Trial:
            return self._measure(tuner.write(folder / "trial.onnx", kept).path, kept)

        found = search(costs, attempt, max_drop)
        rows = {name: {**asdict(cost), "gain_us": cost.gain_us} for name, cost in costs.items()}
        told = {
            "trials": [trial.to_json() for trial in found.trials],
            "front": [trial.to_json() for trial in found.front()],
            "layers": rows,
            "samples": len(self._seen),
        }
        if found.best is None:
            least = min((trial.drop for trial in found.trials), default=0.0)
            raise GateMissed(
                f"No variant in {len(found.trials)} trials lost at most {max_drop:g} "
                f"of {self._judge.metric.title.lower()}; the best lost {least:.4f}.",
                hint="Give more calibration data, allow a larger loss, or use fp16.",
            )
        return tuner.write(output, found.best.kept), told

    def _measure(self, path: Path, kept: Collection[str]) -> Trial:
        phase = Phase(self._job, 0.28, 0.5, f"Trying with {len(kept)} layers in float")
        phase.progress(0, 1)
        session = self._subject.session(path)
        reference = self._subject.session() if self._judge.by_reference else None
        score = self._judge.score(session, self._seen, _Quiet(phase), reference)
        drop = self._judge.drop(self._before, score)
        for one in (session, reference):
            if one is not None:
                one.close()
        before, after = self._subject.session(threads=1), self._subject.session(path, threads=1)
        feeds = next(iter(self._seen)).feeds
        ratio = latency_ratio(before, after, feeds, _Quiet(phase))
        before.close()
        after.close()
        return Trial(tuple(kept), round(drop, 9), ratio, path.stat().st_size)


class _Quiet:
    """A part of the work that can be cancelled, but whose share of the whole is not known."""

    def __init__(self, phase: Phase) -> None:
        self._phase = phase

    def progress(self, done: float, total: float, text: str = "") -> None:
        self._phase.check()

    def log(self, text: str) -> None:
        self._phase.log(text)

    def check(self) -> None:
        self._phase.check()
