"""The metric of variants, as the step that made them has measured it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from studio.gui import figures

if TYPE_CHECKING:
    from studio.workspace import VariantRecord

_MADE_BY = "quantize"

Json = Mapping[str, Any]


def measured(variant: VariantRecord) -> Json:
    """The metric of a variant and of what it was made from; empty where none was measured."""
    found: Json = (variant.summary.get(_MADE_BY) or {}).get("metric") or {}
    return found


def metric_name(values: Json) -> str:
    """What a metric is called."""
    return str(values.get("title") or values.get("name") or "metric")


def quality(variants: Iterable[VariantRecord]) -> tuple[dict[int, float], str]:
    """The metric of each variant that has one, by its number, and the metric's name."""
    variants = list(variants)
    title = ""
    found: dict[int, float] = {}
    originals: dict[int, float] = {}  # the last evaluation counts, as in the table
    for variant in variants:
        values = measured(variant)
        before, after = (figures.number(values.get(end)) for end in ("before", "after"))
        if after is None:
            continue
        title = metric_name(values)
        found[variant.id] = after
        if variant.parent is not None and before is not None:
            originals[variant.parent] = before
    found = {**originals, **found}
    return found, title
