"""What the Quantize page shows of variants: table rows, chart points, facts, a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.gui import figures
from studio.gui.charts.tradeoff import Point, Tradeoff
from studio.gui.pages.parts import part

if TYPE_CHECKING:
    from studio.workspace import VariantRecord

COLUMNS = ("Variant", "Precision", "Size", "of original", "SQNR dB", "Metric", "Latency", "")
NUMERIC = (2, 3, 4, 5, 6)


def table_row(variant: VariantRecord, current: int | None) -> list[str]:
    """One variant as texts, in the order of the columns."""
    summary = variant.summary
    sqnr = figures.number(summary.get("sqnr_db"))
    return [
        variant.name,
        variant.precision,
        figures.size(variant.size),
        figures.ratio(summary.get("size_ratio")) if variant.parent is not None else "1.00",
        figures.NOTHING if sqnr is None else f"{sqnr:.1f}",
        metric(summary),
        _latency(summary) if variant.parent is not None else "1.00",
        "current" if variant.id == current else "",
    ]


def metric(summary: Mapping[str, Any]) -> str:
    """The metric before and after with its name: ``top-1 98.1 → 97.8 % (−0.3 pt)``."""
    values = summary.get("metric")
    if not isinstance(values, Mapping) or figures.number(values.get("after")) is None:
        return figures.NOTHING
    return f"{values.get('name', '')} {figures.metric_change(values)}".strip()


def _latency(summary: Mapping[str, Any]) -> str:
    return figures.ratio(summary.get("latency_ratio"))


def tradeoff(variants: Iterable[VariantRecord], selected: int | None) -> Tradeoff | None:
    """Quality against size; None while fewer than two variants were measured."""
    points: list[Point] = []
    title = "quality"
    variants = list(variants)
    before: dict[int, float] = {}
    for variant in variants:
        values = variant.summary.get("metric")
        if not isinstance(values, Mapping):
            continue
        title = str(values.get("name", title))
        first, after = figures.number(values.get("before")), figures.number(values.get("after"))
        if first is not None and variant.parent is not None:
            before.setdefault(variant.parent, first)
        if after is not None:
            points.append(_point(variant, after, selected))
    known = {point.name for point in points}
    points += [
        _point(variant, before[variant.id], selected)
        for variant in variants
        if variant.id in before and variant.name not in known
    ]
    return Tradeoff(tuple(points), "size, MB", title) if len(points) > 1 else None


def _point(variant: VariantRecord, quality: float, selected: int | None) -> Point:
    return Point(variant.name, variant.size / 1e6, quality, variant.id == selected)


def fields(variant: VariantRecord, source: str) -> list[Sequence[str]]:
    """How a variant was made, for a list of names and values."""
    summary, options = variant.summary, variant.options
    if variant.parent is None:
        return [("Made by", "opened from a file"), ("Size", figures.size(variant.size))]
    found: list[Sequence[str]] = [
        ("Made from", source),
        (
            "Method",
            str(part(summary, "recipe_name", "method") or options.get("method", variant.step)),
        ),
    ]
    data = options.get("data")
    if data:
        samples = part(summary, "samples") or options.get("samples")
        name = Path(str(data)).name
        found.append(("Calibration", f"{name}, {samples} samples" if samples else name))
    for title, key, write in (
        ("Nodes in int8", "nodes_quantized", str),
        ("Kept in float", "nodes_kept", str),
        ("Peak memory", "peak_memory_mb", figures.megabytes),
        ("Took", "seconds", figures.seconds),
    ):
        if summary.get(key) is not None:
            found.append((title, write(summary[key])))
    return found


def conclusion(variant: VariantRecord, max_drop: float | None) -> tuple[str, str, str]:
    """State word, its tone, and the sentence behind it.

    Args:
        variant: A variant that was made here.
        max_drop: The limit on the metric's loss in points that it was made under.
    """
    summary = variant.summary
    size = figures.number(summary.get("size_ratio"))
    smaller = "" if size is None else f"{figures.ratio(size)} of the size"
    values = summary.get("metric")
    loss = _loss(values) if isinstance(values, Mapping) else None
    if loss is None:
        sentence = f"{smaller}; no labelled data, so its quality is not known."
        return "not evaluated", "warning", sentence.lstrip("; ")
    change = f"loses {loss:.1f} pt" if loss > 0.05 else "loses nothing that can be measured"
    sentence = f"{smaller}, {change}".lstrip(", ")
    if max_drop is None:
        return "evaluated", "accent", f"{sentence}."
    if loss <= max_drop + 1e-9:
        return "within the limit", "good", f"{sentence}; the limit is {max_drop:g} pt."
    return "over the limit", "bad", f"{sentence}; the limit is {max_drop:g} pt."


def _loss(values: Mapping[str, Any]) -> float | None:
    before, after = figures.number(values.get("before")), figures.number(values.get("after"))
    if before is None or after is None:
        return None
    share = 100.0 if 0 <= before <= 1 and 0 <= after <= 1 else 1.0
    return share * (before - after)
