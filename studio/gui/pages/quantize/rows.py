"""What the Quantize page shows of variants: table rows, chart points, facts, a sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.gui import figures
from studio.gui.charts.tradeoff import Point, Tradeoff
from studio.gui.pages.quantize.baselines import Baseline, evaluated_on
from studio.gui.pages.shared.quality import measured, metric_name, quality

if TYPE_CHECKING:
    from studio.workspace import Registry, VariantRecord

COLUMNS = ("Variant", "Precision", "Size", "Size ratio", "SQNR dB", "Metric", "Latency", "")
NUMERIC = (2, 3, 4, 5, 6)
METRIC = 5
STEP = "quantize"
_NAMED = 3

Json = Mapping[str, Any]


def made(variant: VariantRecord) -> Json:
    """The figures of the step that made a variant; empty for one that was opened."""
    found: Json = variant.summary.get(STEP) or {}
    return found


def table_row(
    variant: VariantRecord, current: int | None, known: Sequence[Baseline] = ()
) -> list[str]:
    """One variant as texts, in the order of the columns.

    Args:
        current: The number of the current variant.
        known: What was measured of it when others were made from it.
    """
    values = made(variant)
    sqnr = figures.number(values.get("sqnr_db"))
    original = variant.parent is None
    return [
        variant.name,
        variant.precision,
        figures.size(variant.size),
        "1.00" if original else figures.ratio(values.get("size_ratio")),
        figures.NOTHING if sqnr is None else f"{sqnr:.1f}",
        metric_text(variant, known),
        "1.00" if original else _latency_text(values),
        "current" if variant.id == current else "",
    ]


def _latency_text(values: Json) -> str:
    """The time over that of the float model, with the threads: ``0.61, 1 thread``."""
    shown = figures.ratio(values.get("latency_ratio"))
    threads = figures.number(values.get("threads"))
    if threads is None or shown == figures.NOTHING:
        return shown
    return f"{shown}, {figures.count(int(threads), 'thread')}"


def metric_text(variant: VariantRecord, known: Sequence[Baseline] = ()) -> str:
    """The metric before and after: ``98.1 → 97.8 % (−0.3 pt)``; of an original its own."""
    if not measured(variant) and known:
        return known[0].text
    return figures.metric_change(measured(variant))


def metric_heading(variants: Iterable[VariantRecord]) -> str:
    """The heading of the metric's column: its name, where all were judged by the same."""
    names = {metric_name(measured(variant)) for variant in variants if measured(variant)}
    return names.pop() if len(names) == 1 else "Metric"


def tradeoff(
    variants: Iterable[VariantRecord], selected: int | None, *, by_latency: bool = False
) -> Tradeoff | None:
    """Quality against size or time; None while fewer than two variants were measured.

    Args:
        by_latency: Time of the float model is 1; the size of a point is then the file's.
    """
    variants = list(variants)
    found, title = quality(variants)
    largest = max((variant.size for variant in variants), default=1)
    points = tuple(
        Point(
            variant.name,
            cost,
            found[variant.id],
            variant.id == selected,
            variant.id,
            variant.size / largest if by_latency else 0.0,
        )
        for variant in variants
        if variant.id in found
        and (cost := _latency(variant) if by_latency else variant.size / 1e6) is not None
    )
    title_of_cost = "size, MB"
    if by_latency:
        title_of_cost = "latency ratio to float (point size shows file size)"
    if len(points) < 2:
        return None
    is_error = any(map(_is_error, map(measured, variants)))
    chosen = next((v for v in variants if v.id == selected), None)
    trials = _trials(chosen, by_latency) if chosen is not None else ()
    return Tradeoff(points, title_of_cost, title, trials, is_error)


def _is_error(values: Json) -> bool:
    """Whether a metric falls when the model gets better, as its loss tells."""
    before, after, drop = (figures.number(values.get(key)) for key in ("before", "after", "drop"))
    if before is None or after is None or not drop:
        return values.get("name") == "cer"
    return (after - before) * drop > 0


def _trials(variant: VariantRecord, by_latency: bool) -> tuple[tuple[float, float], ...]:
    """What the search for a variant has tried: cost, and the metric as far as it knew it."""
    before = figures.number(measured(variant).get("before"))
    trials = (made(variant).get("search") or {}).get("trials") or ()
    if before is None:
        return ()
    sign = 1 if _is_error(measured(variant)) else -1
    return tuple(
        (
            trial["latency_ratio"] if by_latency else trial["bytes"] / 1e6,
            before + sign * trial["drop"],
        )
        for trial in trials
    )


def _latency(variant: VariantRecord) -> float | None:
    """Time over that of the model that was opened."""
    return 1.0 if variant.parent is None else figures.number(made(variant).get("latency_ratio"))


def latency_ratios(variants: Iterable[VariantRecord]) -> dict[str, float]:
    """Time over float of the int8 variants whose time was measured."""
    found = {v.name: _latency(v) for v in variants if v.precision == "int8" and v.parent}
    return {name: ratio for name, ratio in found.items() if ratio is not None}


def layer_costs(variant: VariantRecord, registry: Registry) -> Mapping[str, Json]:
    """What a search has found of each layer, or else the last run of the sensitivity."""
    layers = (made(variant).get("search") or {}).get("layers")
    if layers:
        return dict(layers)
    runs = registry.runs("sensitivity", variant.parent)
    rows = runs[0].result.get("layers") or () if variant.parent is not None and runs else ()
    return {str(row["name"]): row for row in rows}


def fields(
    variant: VariantRecord, source: str, asked: Json, known: Sequence[Baseline] = ()
) -> list[Sequence[str]]:
    """How a variant was made, for a list of names and values.

    Args:
        variant: Any variant.
        source: Name of the one that it was made from.
        asked: The options that its step was given.
        known: What was measured of it when others were made from it.
    """
    own = [] if measured(variant) else [(one.title, one.sentence) for one in known[:_NAMED]]
    if variant.parent is None:
        return [("Created by", "opened from a file"), ("Size", figures.size(variant.size)), *own]
    values = made(variant)
    found: list[Sequence[str]] = [("Parent", source)]
    texts = (values[key] for key in ("preset_text", "recipe_text") if values.get(key))
    title = _preset_title(str(next(texts, "")))
    if title:
        found.append(("Preset", title))
    found.append(("Method", _method(variant)))
    if asked.get("data"):
        name = Path(str(asked["data"])).name
        found.append(("Calibrated with", f"{name}, up to {asked.get('samples')} samples"))
    if measured(variant):
        found.append(("Evaluated on", evaluated_on(measured(variant), asked)))
    found += [("Note", str(note)) for note in values.get("notes") or ()]
    if values.get("advice"):
        found.append(("Advice", str(values["advice"]), "warning"))
    facts: Json = values.get("facts") or {}
    for title, name in (("Quantized nodes", "quantized"), ("Converted nodes", "converted")):
        if facts.get(name) is not None:
            found.append((title, figures.whole(facts[name])))
    if facts.get("kept"):
        found.append(("Kept in float", _kept(facts["kept"])))
    if values.get("peak_memory_mb") is not None:
        found.append(("Peak memory", figures.megabytes(values["peak_memory_mb"])))
    if values.get("seconds") is not None:
        found.append(("Duration", figures.seconds(values["seconds"])))
    return found + own


def _preset_title(text: str) -> str:
    try:
        return str(tomllib.loads(text).get("title", ""))
    except tomllib.TOMLDecodeError:
        return ""


def _kept(nodes: Iterable[object]) -> str:
    """The first of the nodes that stayed in float, and how many more there are."""
    names = [str(node) for node in nodes]
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f", {more} more" if more > 0 else "")


def _method(variant: VariantRecord) -> str:
    options = variant.options
    calibration = options.get("calibration") or (options.get("options") or {}).get("calibration")
    return ", ".join(
        str(text) for text in (options.get("method", variant.step), calibration) if text
    )


def conclusion(variant: VariantRecord, max_drop: float | None) -> tuple[str, str, str]:
    """State word, its tone, and the sentence behind it.

    Args:
        variant: A variant that was made here.
        max_drop: The loss of the metric that was accepted, in the metric's unit.
    """
    ratio = figures.number(made(variant).get("size_ratio"))
    smaller = f"{figures.ratio(ratio)} of the size" if ratio is not None else "made"
    values = measured(variant)
    loss = figures.number(values.get("drop"))
    if loss is None:
        return "not evaluated", "warning", f"{smaller}; metric drop not measured."
    written = _loss(loss, values)
    change = f"{written} drop in {metric_name(values)}" if written else "no measurable metric drop"
    if max_drop is None:
        return "evaluated", "accent", f"{smaller}, {change}."
    limit = _loss(max_drop, values) or "0"
    return "within budget", "good", f"{smaller}, {change}; budget {limit}."


def _loss(loss: float, values: Json) -> str:
    """A loss in points where the metric is a share; empty when it rounds to nothing."""
    shares = (figures.number(values.get(end)) for end in ("before", "after"))
    if all(share is not None and 0 <= share <= 1 for share in shares):
        return f"{100 * loss:.1f} pt" if loss > 0.0005 else ""
    return f"{loss:.3g}" if loss > 0 else ""
