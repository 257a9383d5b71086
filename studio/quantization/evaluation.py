"""The quality of a model on labelled samples, by the metric of its task."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.api import (
    Array,
    Dataset,
    Extension,
    InvalidData,
    Metric,
    Progress,
    Session,
    UsageError,
)
from studio.plugin_host import PluginHost

DICTIONARY = "dictionary.txt"
"""A text recogniser's characters, when they lie beside the data."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A metric with its options."""

    metric: Metric
    options: Mapping[str, Any]

    @classmethod
    def choose(
        cls, host: PluginHost, wanted: str, dataset: Dataset, dictionary: Path | None
    ) -> Judge | None:
        """The metric asked for; for ``auto`` the one that suits the labels, None without labels.

        Raises:
            UsageError: when a metric was asked for that the data or the options cannot serve.
            Unavailable: when no plugin offers the metric.
        """
        label = next((sample.label for sample in dataset), None)
        if wanted == "none" or (wanted == "auto" and label is None):
            return None
        if label is None:
            raise UsageError(
                f"The metric {wanted} needs labels, and the data has none.",
                hint="Give --eval-data with labels, or --metric none.",
            )
        if wanted == "auto":
            if isinstance(label, str) and dictionary is None:
                return None
            wanted = "exact" if isinstance(label, str) else "top1"
        metric: Metric = host.get(Extension.METRIC, wanted)
        options = {"dictionary": str(dictionary)} if dictionary is not None else {}
        known = {option.name: option for option in metric.options}
        if "dictionary" in known and known["dictionary"].required and not options:
            raise UsageError(
                f"The metric {wanted} needs the characters of the model.",
                hint=f"Give --dictionary FILE, or put {DICTIONARY} beside the data.",
            )
        return cls(metric, {name: value for name, value in options.items() if name in known})

    def score(self, session: Session, dataset: Dataset, progress: Progress) -> float:
        """Run all samples through a model and score what it gives.

        Raises:
            InvalidData: when a sample does not fit, or has no label.
        """
        run = _Run(session, dataset, progress)
        return self.metric.score(run.outputs(), run.labels(), self.options)

    def drop(self, before: float, after: float) -> float:
        """How much worse a score has become; negative when it is better."""
        return before - after if self.metric.higher_is_better else after - before


def dictionary_for(data: Path | None, given: str | None) -> Path | None:
    """The file of characters: the one given, or the one beside the data."""
    if given:
        return Path(given)
    if data is None:
        return None
    beside = (data if data.is_dir() else data.parent) / DICTIONARY
    return beside if beside.is_file() else None


class _Run:
    """A pass over a dataset as two streams, outputs and labels, whichever is read first."""

    def __init__(self, session: Session, dataset: Dataset, progress: Progress) -> None:
        self._session = session
        self._samples = enumerate(dataset)
        self._total = len(dataset)
        self._progress = progress
        self._outputs: deque[Mapping[str, Array]] = deque()
        self._labels: deque[int | str] = deque()

    def outputs(self) -> Iterator[Mapping[str, Array]]:
        while self._outputs or self._advance():
            yield self._outputs.popleft()

    def labels(self) -> Iterator[int | str]:
        while self._labels or self._advance():
            yield self._labels.popleft()

    def _advance(self) -> bool:
        index, sample = next(self._samples, (0, None))
        if sample is None:
            return False
        self._progress.progress(index, self._total)
        if sample.label is None:
            raise InvalidData(f"Sample {sample.name} has no label.")
        self._labels.append(sample.label)
        self._outputs.append(self._session.run(sample.feeds))
        return True
