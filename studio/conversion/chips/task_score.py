"""The task metric of a model on a chip, next to that of the given model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from studio.api import Array, Sample, UsageError
from studio.conversion.chips.results import ChipMetric
from studio.evaluation.judge import Evaluator
from studio.plugin_host import PluginHost

_NAMED = 20
"""Most samples that are named."""


class TaskScore:
    """The figures of both models, sample by sample.

    Args:
        samples: Labelled ones, in the order in which their outputs come.
    """

    def __init__(self, evaluator: Evaluator, samples: Sequence[Sample]) -> None:
        self._evaluator = evaluator
        self._samples = iter(samples)
        self._pairs: list[tuple[str, float, float]] = []

    def add(self, chip: Mapping[str, Array], model: Mapping[str, Array]) -> None:
        """Score the outputs for the next sample."""
        sample = next(self._samples)
        truth = model if self._evaluator.by_reference else sample.label
        if truth is None:
            return
        ours, theirs = (self._evaluator.right(one, truth) for one in (chip, model))
        if ours is not None and theirs is not None:
            self._pairs.append((sample.name, ours, theirs))

    def metric(self) -> ChipMetric | None:
        """Return the means; None for a metric without a figure for each sample."""
        if not self._pairs:
            return None
        count = len(self._pairs)
        lost = [name for name, ours, theirs in self._pairs if ours < theirs]
        metric = self._evaluator.metric
        return ChipMetric(
            metric.id,
            metric.title,
            sum(ours for _, ours, _ in self._pairs) / count,
            sum(theirs for _, _, theirs in self._pairs) / count,
            count,
            len(lost),
            tuple(lost[:_NAMED]),
        )


def evaluator_for(
    host: PluginHost, wanted: str, samples: Sequence[Sample], dictionary: Path | None
) -> Evaluator | None:
    """Return the metric for the labels of samples; None without labels.

    Raises:
        UsageError: when the labels need a dictionary, or do not suit the metric.
    """
    if wanted == "auto" and all(one.label is None for one in samples):
        return None
    if not samples:
        raise UsageError("There are no samples to evaluate.")
    return Evaluator.choose(host, wanted, samples, dictionary)
