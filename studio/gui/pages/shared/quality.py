"""The metric of variants, as the step that made them has measured it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from studio.quantization.results import figures_of

if TYPE_CHECKING:
    from studio.evaluation.results import MetricChange
    from studio.workspace import VariantRecord


def measured(variant: VariantRecord) -> MetricChange | None:
    """Return the metric of a variant and of what it was made from; None where none was measured."""
    return figures_of(variant.summary).metric


def quality(variants: Iterable[VariantRecord]) -> tuple[dict[int, float], str]:
    """Return the metric of each variant that has one, by its number, and the metric's name."""
    variants = list(variants)
    title = ""
    found: dict[int, float] = {}
    originals: dict[int, float] = {}  # the last evaluation counts, as in the table
    for variant in variants:
        metric = measured(variant)
        if metric is None:
            continue
        title = metric.heading
        found[variant.id] = metric.after
        if variant.parent is not None:
            originals[variant.parent] = metric.before
    found = {**originals, **found}
    return found, title
