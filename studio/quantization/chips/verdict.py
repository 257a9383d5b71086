"""The verdict of a chip on variants of one model, next to the float model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import Dataset, Sample
from studio.conversion.chips.chip_check import ChipCheck
from studio.conversion.chips.output_comparison import GivenModel
from studio.conversion.chips.results import ChipResult
from studio.evaluation.judge import Evaluator
from studio.evaluation.loaded_model import LoadedModel
from studio.jobs import Job
from studio.plugin_host import PluginHost

SAMPLES = 100
"""Most samples for an emulator or simulator, which needs seconds for each."""

_INT8 = "int8"


class ChipVerdicts:
    """Variants of one model on one chip.

    Args:
        check: The chip with its compiler.
        feeds: Samples whose sizes are those of the compiled models.
    """

    def __init__(
        self,
        check: ChipCheck,
        subject: LoadedModel,
        judge: Evaluator | None,
        feeds: Dataset | None,
        job: Job,
    ) -> None:
        self.chip = check.chip
        self._check, self._subject, self._judge, self._job = check, subject, judge, job
        first = None if feeds is None else next(iter(subject.whole_feeds(feeds)))
        self._shapes: Mapping[str, tuple[int, ...]] = (
            {} if first is None else {name: array.shape for name, array in first.feeds.items()}
        )
        self._count = 0

    @classmethod
    def of(
        cls,
        name: str | None,
        subject: LoadedModel,
        judge: Evaluator | None,
        feeds: Dataset | None,
        host: PluginHost,
        job: Job,
    ) -> ChipVerdicts | None:
        """Return the verdicts of a chip; None without one.

        Raises:
            Unavailable: when its toolchain is not installed.
        """
        if not name:
            return None
        return cls(ChipCheck.of(name, subject.ref.format, host, job), subject, judge, feeds, job)

    def placed(self, variant: Path) -> ChipResult:
        """Compile a variant."""
        return self._run(variant, None)

    def judged(self, variant: Path, dataset: Dataset | None) -> ChipResult:
        """Compile a variant, and compare its outputs with the float model's on samples."""
        samples = [] if dataset is None else self._fitting(dataset)
        given = GivenModel(
            self._subject.path,
            self._subject.ref.format,
            (),
            lambda source: samples,
            lambda chosen: self._judge,
        )
        return self._run(variant, given)

    def drop(self, result: ChipResult) -> float | None:
        """Return the loss of the metric on the chip; None where it was not measured."""
        metric = result.numbers.metric if result.numbers is not None else None
        if metric is None or self._judge is None:
            return None
        return round(self._judge.drop(metric.model_value, metric.value), 9)

    def _run(self, variant: Path, given: GivenModel | None) -> ChipResult:
        folder = self._job.folder / f"chip-{self._count}"
        self._count += 1
        result = self._check.run(variant, _INT8, folder, given, self._shapes)
        return replace(result, artefact="")

    def _fitting(self, dataset: Dataset) -> Sequence[Sample]:
        """Return samples of the sizes that are compiled, evenly spread."""
        whole = self._subject.whole_feeds(dataset)
        step = max(1, len(whole) // SAMPLES)
        found = [
            sample
            for index, sample in enumerate(whole)
            if index % step == 0
            and all(array.shape == self._shapes[name] for name, array in sample.feeds.items())
        ]
        return found[:SAMPLES]
