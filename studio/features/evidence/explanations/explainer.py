"""One explanation of one sample: the question, the map, and figures about the map."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

import numpy

from studio.api import Array, InvalidData, Progress, Sample, Silent, UsageError
from studio.datasets.output_settings import read_outputs
from studio.features.evidence.explanations.agreement import rank_correlation
from studio.features.evidence.explanations.boxes import BoxScore, box_score, is_detector
from studio.features.evidence.explanations.curves import MOST_STEPS, Curves, curves
from studio.features.evidence.explanations.explained_model import ExplainedModel
from studio.features.evidence.explanations.method_choice import ATTENTION, GRADIENTS, MethodChoice
from studio.features.evidence.explanations.methods.attention import rollout
from studio.features.evidence.explanations.methods.attribution import Attribution
from studio.features.evidence.explanations.methods.perturbation import Perturbation
from studio.features.evidence.explanations.methods.scorer import BoundedScorer, Outputs
from studio.features.evidence.explanations.question import (
    AlteredInput,
    ClassScore,
    InputKind,
    altered_input,
    class_score,
)
from studio.features.evidence.explanations.step import ExplainOptions
from studio.lazy_dataclass import dataclass

Reference = Literal["auto", "mean", "zero", "blur", "samples"]

MOST_SAMPLES = 8
"""Samples of the data as references; each one multiplies the evaluations."""

_BLUR_CELLS = 6


def reference_for(
    sample: Array, altered: AlteredInput, data: Sequence[Array], kind: Reference, token: int
) -> Array:
    """Return one or several references, each of the shape of the sample.

    Args:
        data: The altered input of samples of the data.
        kind: ``auto`` is the mean of the data, and the given token for a text.
        token: Number of the token that removed tokens become.

    Raises:
        UsageError: when the kind does not suit the input.
    """
    if altered.kind is InputKind.TEXT:
        if kind not in ("auto", "zero"):
            raise UsageError(f"The reference {kind} does not suit a text.", hint="Give --token.")
        return numpy.full_like(sample, token)
    if kind == "zero":
        return numpy.zeros_like(sample)
    if kind == "blur":
        if altered.kind is not InputKind.PICTURE:
            raise UsageError("The reference blur is for pictures alone.")
        return _blurred(sample, altered.axes)
    fitting = [one for one in data if one.shape == sample.shape] or [sample]
    if kind == "samples":
        step = max(1, len(fitting) // MOST_SAMPLES)
        return numpy.concatenate(fitting[::step][:MOST_SAMPLES])
    mean = numpy.mean([one.astype(numpy.float64) for one in fitting], axis=0)
    if altered.kind is not InputKind.ROW:  # one value for each channel
        mean = mean.mean(axis=altered.axes, keepdims=True)
    if sample.dtype.kind != "f":
        mean = numpy.round(mean)
    return numpy.broadcast_to(mean, sample.shape).astype(sample.dtype)


def _blurred(sample: Array, axes: Sequence[int]) -> Array:
    """Return the picture as seen through a few large cells."""
    found = sample.astype(numpy.float64)
    for axis in axes:
        size = found.shape[axis]
        cells = min(_BLUR_CELLS, size)
        at = numpy.clip((numpy.arange(size) + 0.5) * cells / size - 0.5, 0, cells - 1)
        weights = numpy.clip(1 - abs(at[:, None] - numpy.arange(cells)), 0, None)
        means = weights / weights.sum(axis=0)
        found = numpy.moveaxis(numpy.moveaxis(found, axis, -1) @ means @ weights.T, -1, axis)
    if sample.dtype.kind != "f":
        found = numpy.round(found)
    return found.astype(sample.dtype)


ScoreReader = ClassScore | BoxScore


@dataclass(frozen=True, slots=True)
class ScoreQuestion:
    """What one explanation is about.

    Attributes:
        reader: The explained score.
        method: That makes the map.
    """

    altered: AlteredInput
    reader: ScoreReader
    method: MethodChoice

    @classmethod
    def of(
        cls,
        options: ExplainOptions,
        sample: Sample,
        outputs: Outputs,
        labels: Sequence[str],
        names: Sequence[str],
    ) -> ScoreQuestion:
        """Find out what the options mean for a sample and its outputs.

        Raises:
            InvalidModel: when nothing of the model can be explained.
            UsageError: for a class or a method that does not suit the model.
        """
        altered = altered_input(sample.feeds, names)
        array = sample.feeds[altered.name]
        settings = read_outputs(options.outputs) if options.outputs else None
        detects = is_detector(settings) and altered.kind is InputKind.PICTURE
        reader: ScoreReader
        if detects and settings is not None:
            size = (array.shape[altered.axes[0]], array.shape[altered.axes[1]])
            reader = box_score(settings, outputs, size, options.wanted or "", labels)
        else:
            raw = options.score == "output"
            reader = class_score(outputs, options.wanted or "", labels, raw)
        wanted = MethodChoice(options.method, options.evaluations, options.seed, options.cells)
        return cls(altered, reader, MethodChoice.of(wanted, altered, array, detects))


@dataclass(frozen=True, slots=True)
class FoundMap:
    """A map with its figures.

    Attributes:
        score, reference_score: Of the sample, and of the reference.
        used: Samples that were scored for the map.
        total: Those with curves and ends.
        seconds: For the map alone.
    """

    altered: Perturbation
    attribution: Attribution
    score: float
    reference_score: float
    used: int
    total: int
    seconds: float
    curves: Curves | None = None

    @property
    def stability(self) -> float | None:
        """Rank correlation of the maps by either half of the evaluations."""
        halves = self.attribution.halves
        return None if halves is None else rank_correlation(*halves)

    @property
    def values(self) -> Array:
        """The map in the shape of the input's places; tiles are filled with their value."""
        found = self.attribution
        values = found.values[self.altered.features] if found.by_feature else found.values
        return values.astype(numpy.float32)


def explained(
    model: ExplainedModel,
    question: ScoreQuestion,
    sample: Sample,
    background: Sequence[Sample],
    options: ExplainOptions,
    progress: Progress | None = None,
    with_curves: bool = True,
) -> FoundMap:
    """Return the map of a score.

    Args:
        background: Samples that the reference is made of.

    Raises:
        UsageError: when the bound on evaluations is too small.
        InvalidData: when the sample has no such input, or its scores are no numbers.
    """
    name = question.altered.name
    if name not in sample.feeds:
        raise InvalidData(f"The model to compare with has no input {name!r}.")
    array = sample.feeds[name]
    others = [one.feeds[name] for one in background]
    reference = reference_for(array, question.altered, others, options.reference, options.token)
    altered = question.method.perturbation(array, reference, question.altered)
    plain = model.scorer(name, sample.feeds, question.reader)
    bounded = BoundedScorer(plain, options.evaluations, progress)
    begin = time.perf_counter()
    attribution = _attribution(model, question, sample, altered, bounded)
    seconds = time.perf_counter() - begin
    if not numpy.isfinite(attribution.values).all():
        raise InvalidData("The model's scores for altered samples are not finite numbers.")
    ends = BoundedScorer(plain, options.evaluations + 4 * MOST_STEPS * altered.rows, Silent())
    score = float(ends.scores(array)[0])
    reference_score = float(ends.scores(reference).mean())
    drawn = curves(ends, altered, attribution, MOST_STEPS) if with_curves else None
    total = bounded.used + ends.used
    return FoundMap(
        altered, attribution, score, reference_score, bounded.used, total, seconds, drawn
    )


def _attribution(
    model: ExplainedModel,
    question: ScoreQuestion,
    sample: Sample,
    altered: Perturbation,
    scorer: BoundedScorer,
) -> Attribution:
    """Return the map by the method of the question, which may need gradients or attention."""
    method, kind, reader = question.method, question.altered.kind, question.reader
    if method.name == ATTENTION:
        return rollout(model.attention(sample.feeds), altered.count)
    if method.name != GRADIENTS or not isinstance(reader, ClassScore):
        return method.map(scorer, altered, kind)
    with model.slopes(question.altered.name, sample.feeds, reader) as slopes:
        return method.map(scorer, altered, kind, scorer.sharing(slopes))
