"""Explanations as parts of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from studio.api import Sample
from studio.features.evidence.explanations.agreement import rank_correlation, top_overlap
from studio.features.evidence.explanations.boxes import BoxScore
from studio.features.evidence.explanations.curves import Curves
from studio.features.evidence.explanations.explainer import FoundMap, ScoreQuestion
from studio.features.evidence.explanations.question import InputKind
from studio.features.evidence.explanations.results import (
    Completeness,
    CurveAreas,
    FeatureShare,
    MapComparison,
    SampleExplanation,
    SanityCheck,
)

SANITY_LIMIT = 0.5
"""Largest mean rank correlation with the maps of shuffled weights that passes."""

_DIGITS = 6


def described(
    sample: Sample,
    question: ScoreQuestion,
    found: FoundMap,
    key: str,
    names: Sequence[str],
    tokens: Sequence[str],
) -> SampleExplanation:
    """Return the explanation of a sample in the form of the result.

    Args:
        key: Name of its map.
        names: Of the features of a row.
        tokens: Of the vocabulary of a text.
    """
    reader = question.reader
    stability = found.stability
    return SampleExplanation(
        name=sample.name,
        kind=question.altered.kind.value,
        method=question.method.name,
        label=reader.label,
        class_number=reader.index,
        score=_short(found.score),
        reference_score=_short(found.reference_score),
        evaluations=found.used,
        seconds=round(found.seconds, 4),
        map=key,
        box=tuple(map(_short, reader.corners)) if isinstance(reader, BoxScore) else None,
        curves=None if found.curves is None else _areas(found.curves),
        stability=None if stability is None else _short(stability),
        completeness=_completeness(found),
        features=_features(question, found, names, tokens),
    )


def compared(
    sample: SampleExplanation, title: str, ours: FoundMap, theirs: FoundMap, key: str
) -> SampleExplanation:
    """Return the explanation with that of another variant."""
    first, second = ours.attribution.values, theirs.attribution.values
    row = MapComparison(
        model=title,
        score=_short(theirs.score),
        rank_correlation=_short(rank_correlation(first, second)),
        top_overlap=_short(top_overlap(first, second)),
        map=key,
    )
    return replace(sample, against=(*sample.against, row))


def is_changed(
    sample: SampleExplanation, found: FoundMap, others: Sequence[FoundMap]
) -> SampleExplanation:
    """Return the explanation with the check against maps of shuffled weights."""
    values = found.attribution.values
    each = [_short(rank_correlation(values, one.attribution.values)) for one in others]
    mean = _short(sum(each) / len(each))
    return replace(sample, sanity=SanityCheck(tuple(each), mean, mean < SANITY_LIMIT))


def _completeness(found: FoundMap) -> Completeness | None:
    """Return how far integrated gradients add up; None for other methods."""
    steps = found.attribution.steps
    if not steps:
        return None
    total, change = float(found.attribution.values.sum()), found.score - found.reference_score
    return Completeness(_short(total), _short(change), _short(total - change), steps)


def _features(
    question: ScoreQuestion, found: FoundMap, names: Sequence[str], tokens: Sequence[str]
) -> tuple[FeatureShare, ...]:
    """Return the features of a row, or the tokens of a text; none of a picture."""
    kind = question.altered.kind
    if kind not in (InputKind.ROW, InputKind.TEXT):
        return ()
    values = found.altered.sample.reshape(-1)
    if kind is InputKind.TEXT:
        names = [_token(int(value), tokens) for value in values]
    rows = zip(names, values, found.attribution.values, strict=True)
    return tuple(FeatureShare(name, float(value), _short(share)) for name, value, share in rows)


def _token(number: int, tokens: Sequence[str]) -> str:
    return tokens[number] if 0 <= number < len(tokens) else str(number)


def _areas(found: Curves) -> CurveAreas:
    rows = (found.shares, found.deletion, found.insertion)
    lists = (tuple(_short(value) for value in row) for row in rows)
    return CurveAreas(_short(found.deletion_area), _short(found.insertion_area), *lists)


def _short(value: float) -> float:
    return round(float(value), _DIGITS)
