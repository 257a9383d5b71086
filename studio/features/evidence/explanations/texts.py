"""Sentences for people about explanations."""

from __future__ import annotations

from studio.documents.text_table import table
from studio.features.evidence.explanations.results import (
    Completeness,
    ExplainResult,
    SampleExplanation,
)

METHODS = {
    "rise": "RISE",
    "drise": "D-RISE",
    "occlusion": "occlusion",
    "shapley": "exact Shapley values",
    "kernel-shap": "kernel SHAP",
    "integrated-gradients": "integrated gradients",
    "attention": "attention (no attribution)",
}
_SHOWN = 12
_COARSE = 0.05


def explained(result: ExplainResult) -> list[str]:
    """Return the explanations in a few lines each, and where the drawing is."""
    lines = [line for sample in result.samples for line in of_sample(sample)]
    lines += result.notes
    return [*lines, f"{result.evaluations:,} evaluations in {result.seconds:.1f} s", result.output]


def of_sample(sample: SampleExplanation) -> list[str]:
    """Return the score, the features or areas, and the comparisons of one sample."""
    lines = [
        f"{sample.name}: {sample.label}, score {sample.score:.4g} "
        f"(reference {sample.reference_score:.4g}), by {METHODS[sample.method]}"
    ]
    if sample.features:
        rows = sorted(sample.features, key=lambda one: -abs(one.share))
        cells = [(one.name, f"{one.value:.4g}", f"{one.share:+.4f}") for one in rows[:_SHOWN]]
        lines += table(("feature", "value", "share"), cells, right=" rr")
        if len(rows) > _SHOWN:
            lines.append(f"and {len(rows) - _SHOWN} less important features; --json lists all")
    if sample.curves is not None:
        areas = sample.curves
        lines.append(f"deletion {areas.deletion:.3f}, insertion {areas.insertion:.3f}")
    if sample.stability is not None:
        lines.append(f"stability {sample.stability:.2f} (rank correlation of both halves)")
    if sample.completeness is not None:
        lines.append(adding_up(sample.completeness))
    other = sample.counterfactual
    if other is not None:
        changes = ", ".join(f"{o.name} {o.value:.4g} to {o.other:.4g}" for o in other.changes)
        lines.append(
            f"most similar sample of another class: {other.name}, {other.label}"
            + (f" ({changes})" if changes else "")
        )
    lines += [
        f"{one.model}: score {one.score:.4g}, rank correlation {one.rank_correlation:.2f}, "
        f"same top tenth {one.top_overlap:.2f}"
        for one in sample.against
    ]
    if sample.sanity is not None:
        verdict = "passed" if sample.sanity.passed else "failed"
        lines.append(
            f"shuffled weights: {verdict}, rank correlation {sample.sanity.mean:.2f} over "
            f"{len(sample.sanity.rank_correlations)} copies"
        )
    return lines


def adding_up(found: Completeness) -> str:
    """Return whether the values add up to the change of the score."""
    return (
        f"values add up to {found.total:+.4f}, the score changes by {found.change:+.4f} "
        f"(residual {found.residual:+.4f} with {found.steps} steps)"
        + ("; raise --evaluations for more steps" if is_coarse(found) else "")
    )


def is_coarse(found: Completeness) -> bool:
    """Return whether the residual is above a twentieth of the change."""
    return abs(found.residual) > max(_COARSE * abs(found.change), _COARSE / 100)
