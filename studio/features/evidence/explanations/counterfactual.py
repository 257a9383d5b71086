"""The most similar sample of the data that the model answers with another class.

Real samples rather than generated ones: Wachter et al., "Counterfactual Explanations without
Opening the Black Box", 2017, restricted to what the data holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from studio.api import Array, Sample
from studio.features.evidence.explanations.explained_model import ExplainedModel
from studio.features.evidence.explanations.explainer import ScoreQuestion
from studio.features.evidence.explanations.methods.scorer import Floats, Outputs
from studio.features.evidence.explanations.question import ClassScore, InputKind
from studio.features.evidence.explanations.results import Counterfactual, FeatureChange
from studio.lazy_dataclass import dataclass
from studio.runtime.serve.decoders.settings import PROBABILITY, OutputSettings

MOST = 256
"""Samples of the data that are looked at, spread evenly."""

_MOST_CHANGES = 8


@dataclass(frozen=True, slots=True)
class Decisions:
    """The class that a model answers with.

    Attributes:
        threshold: Least score of the positive class of a single probability; None for others.
        labels: Names of the classes.
    """

    output: str
    threshold: float | None
    labels: tuple[str, ...]

    @classmethod
    def of(
        cls, reader: ClassScore, settings: OutputSettings | None, labels: Sequence[str]
    ) -> Decisions:
        """Return the decisions of a classifier."""
        is_single = settings is not None and settings.task == PROBABILITY
        threshold = settings.threshold if is_single and settings is not None else None
        return cls(reader.output, threshold, tuple(labels))

    def class_of(self, outputs: Outputs) -> int | None:
        """Return the number of the class; None for a value that is no class."""
        row = outputs[self.output].reshape(-1)
        if len(row) > 1:
            return int(row.argmax())
        return None if self.threshold is None else int(row[0] >= self.threshold)

    def title(self, number: int) -> str:
        """Return the name of a class."""
        if self.threshold is not None:
            return "positive" if number else "negative"
        return self.labels[number] if number < len(self.labels) else str(number)


def counterfactual(
    model: ExplainedModel,
    question: ScoreQuestion,
    sample: Sample,
    others: Sequence[Sample],
    decisions: Decisions,
    names: Sequence[str],
) -> Counterfactual | None:
    """Return the nearest sample of another class; None where there is no such sample.

    Args:
        others: Samples of the data.
        names: Of the features of a row.
    """
    key, reader = question.altered.name, question.reader
    own = decisions.class_of(model.outputs(sample.feeds))
    fitting = [one for one in others if one.feeds[key].shape == sample.feeds[key].shape]
    fitting = fitting[:: max(1, len(fitting) // MOST)][:MOST]
    if own is None or question.altered.kind is InputKind.TEXT or not fitting:
        return None
    distances = _distances(sample.feeds[key], [one.feeds[key] for one in fitting])
    for number in numpy.argsort(distances, kind="stable"):
        other = fitting[int(number)]
        outputs = model.outputs(other.feeds)
        found = decisions.class_of(outputs)
        if found is not None and found != own:
            return Counterfactual(
                name=other.name,
                label=decisions.title(found),
                score=round(float(reader(outputs)[0]), 6),
                distance=round(float(distances[number]), 6),
                changes=_changes(question, sample, other, names),
            )
    return None


def _distances(sample: Array, others: Sequence[Array]) -> Floats:
    """Return mean absolute differences, in standard deviations of each value over the data."""
    rows = numpy.stack([one.astype(numpy.float64).reshape(-1) for one in others])
    spread = rows.std(axis=0)
    spread[spread == 0] = 1
    found: Floats = numpy.abs((rows - sample.astype(numpy.float64).reshape(-1)) / spread).mean(1)
    return found


def _changes(
    question: ScoreQuestion, sample: Sample, other: Sample, names: Sequence[str]
) -> tuple[FeatureChange, ...]:
    """Return the features of a row that differ, in their order."""
    if question.altered.kind is not InputKind.ROW:
        return ()
    key = question.altered.name
    pairs = zip(names, sample.feeds[key].reshape(-1), other.feeds[key].reshape(-1), strict=True)
    rows = [FeatureChange(name, float(a), float(b)) for name, a, b in pairs if a != b]
    return tuple(rows[:_MOST_CHANGES])
