"""What the Optimize page shows of variants: table rows, chart points, facts, a sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from studio.documents.dataclass_json import from_json
from studio.gui import figures
from studio.gui.charts.tradeoff import Point, Tradeoff
from studio.gui.pages.quantize.baselines import Baseline, QuantizeRequest, evaluated_on
from studio.gui.pages.shared.quality import measured, quality
from studio.lazy_dataclass import dataclass
from studio.quantization.results import (
    LayerCost,
    LayerTiming,
    SensitivityResult,
    figures_of,
)

if TYPE_CHECKING:
    from studio.evaluation.results import MetricChange
    from studio.workspace import Results, VariantRecord

COLUMNS = ("Variant", "Size", "Size ratio", "Metric", "Latency ratio", "Verdict")
NUMERIC = (1, 2, 3, 4)
METRIC = 3
STEP = "quantize"
_NAMED = 3


def table_row(
    variant: VariantRecord, current: int | None, known: Sequence[Baseline] = ()
) -> list[str]:
    """Return one variant as texts, in the order of the columns.

    Args:
        current: The number of the current variant.
        known: What was measured of it when others were made from it.
    """
    values = figures_of(variant.summary)
    original = variant.parent is None
    return [
        f"{variant.name} (current)" if variant.id == current else variant.name,
        figures.size(variant.size),
        "1.00" if original else figures.ratio(values.size_ratio),
        metric_text(variant, known),
        "1.00" if original else figures.ratio(values.latency_ratio),
    ]


def note_text(origin: VariantRecord | None, count: int) -> str:
    """Return how many variants there are, and what the next one is made from."""
    return f"{figures.count(count, 'variant')} from {origin.name}" if origin and count > 1 else ""


def metric_text(variant: VariantRecord, known: Sequence[Baseline] = ()) -> str:
    """Return the metric with its change: ``97.8 % (−0.3 pt)``; of an original its own value."""
    metric = measured(variant)
    if metric is None:
        return known[0].text if known else figures.NOTHING
    return figures.metric_change(metric.before, metric.after).rpartition(" → ")[2]


def metric_heading(variants: Iterable[VariantRecord]) -> str:
    """Return the heading of the metric's column: its name if all rows share one metric."""
    names = {metric.heading for variant in variants if (metric := measured(variant))}
    return names.pop() if len(names) == 1 else "Metric"


def tradeoff(
    variants: Iterable[VariantRecord],
    selected: int | None,
    *,
    by_latency: bool = False,
    max_drop: float | None = None,
) -> Tradeoff | None:
    """Quality against size or time; None while fewer than two variants were measured.

    Args:
        by_latency: Time of the float model is 1; the size of a point is then the file's.
        max_drop: The budget of the selected variant, drawn as a line.
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
    is_error = any(metric.is_error for one in variants if (metric := measured(one)))
    chosen = next((v for v in variants if v.id == selected), None)
    trials = _trials(chosen, by_latency) if chosen is not None else ()
    budget = _limit(chosen, max_drop) if chosen is not None else None
    return Tradeoff(points, title_of_cost, title, trials, is_error, budget)


def _limit(variant: VariantRecord, max_drop: float | None) -> float | None:
    """Return the worst metric that the budget of a variant allows; None without a budget."""
    metric = measured(variant)
    if metric is None or max_drop is None:
        return None
    return metric.before + (max_drop if metric.is_error else -max_drop)


def _trials(variant: VariantRecord, by_latency: bool) -> tuple[tuple[float, float], ...]:
    """Return the candidates of a layer search: cost, and the metric where it is known."""
    figures_made = figures_of(variant.summary)
    metric, search = figures_made.metric, figures_made.search
    if metric is None or search is None:
        return ()
    sign = 1 if metric.is_error else -1
    return tuple(
        (
            trial.latency_ratio if by_latency else trial.bytes / 1e6,
            metric.before + sign * trial.drop,
        )
        for trial in search.trials
    )


def _latency(variant: VariantRecord) -> float | None:
    """Time over that of the model that was opened."""
    return 1.0 if variant.parent is None else figures_of(variant.summary).latency_ratio


def latency_ratios(variants: Iterable[VariantRecord]) -> dict[str, float]:
    """Time over float of the int8 variants whose time was measured."""
    found = {v.name: _latency(v) for v in variants if v.precision == "int8" and v.parent}
    return {name: ratio for name, ratio in found.items() if ratio is not None}


def layer_costs(variant: VariantRecord, results: Results) -> Mapping[str, LayerTiming | LayerCost]:
    """Return the layer costs of a search, or of the last run of layer sensitivity."""
    search = figures_of(variant.summary).search
    if search is not None and search.layers:
        return search.layers
    if variant.parent is None:
        return {}
    run = results.last("sensitivity", SensitivityResult, variant.parent)
    return {layer.name: layer for layer in run.result.layers} if run is not None else {}


def fields(
    variant: VariantRecord, source: str, asked: QuantizeRequest, known: Sequence[Baseline] = ()
) -> list[Sequence[str]]:
    """How a variant was made, for a list of names and values.

    Args:
        variant: Any variant.
        source: Name of the one that it was made from.
        asked: The options that its step was given.
        known: What was measured of it when others were made from it.
    """
    metric = measured(variant)
    own = [] if metric else [(one.title, one.sentence) for one in known[:_NAMED]]
    if variant.parent is None:
        return [("Created by", "opened from a file"), ("Size", figures.size(variant.size)), *own]
    values = figures_of(variant.summary)
    found: list[Sequence[str]] = [("Parent", source)]
    title = _preset_title(values.preset_text)
    if title:
        found.append(("Preset", title))
    found.append(("Method", _method(variant)))
    found.append(("Precision", variant.precision))
    if asked.data:
        found.append(("Calibrated with", f"{asked.data.name}, up to {asked.samples} samples"))
    if metric:
        found.append(("Evaluated on", evaluated_on(metric, asked)))
    found += [("Note", note) for note in values.notes]
    if values.advice:
        found.append(("Advice", values.advice, "warning"))
    if values.sqnr_db is not None:
        found.append(("Output SQNR", f"{values.sqnr_db:.1f} dB"))
    facts = values.layers
    for title, number in (
        ("Quantized nodes", facts.quantized),
        ("Converted nodes", facts.converted),
    ):
        if number is not None:
            found.append((title, figures.whole(number)))
    if facts.kept:
        found.append(("Kept in float", _float_nodes(facts.kept)))
    if values.peak_memory_mb is not None:
        found.append(("Peak memory", figures.megabytes(values.peak_memory_mb)))
    if values.seconds is not None:
        found.append(("Duration", figures.seconds(values.seconds)))
    return found + own


def _preset_title(text: str) -> str:
    try:
        return str(tomllib.loads(text).get("title", ""))
    except tomllib.TOMLDecodeError:
        return ""


def _float_nodes(nodes: Iterable[str]) -> str:
    """Return the first of the nodes kept in float, and the number of the others."""
    names = list(nodes)
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f", {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class _Method:
    """The method in the options of a variant, with its calibration."""

    method: str = ""
    calibration: str = ""


def _method(variant: VariantRecord) -> str:
    options = from_json(_Method, variant.options)
    return ", ".join(filter(None, (options.method or variant.step, options.calibration)))


def conclusion(variant: VariantRecord, max_drop: float | None) -> tuple[str, str, str]:
    """State word, its tone, and the sentence behind it.

    Args:
        variant: Any variant.
        max_drop: The loss of the metric that was accepted, in the metric's unit.
    """
    if variant.step != STEP:
        return ("baseline", "", "") if variant.parent is None else (variant.step, "", "")
    ratio = figures_of(variant.summary).size_ratio
    smaller = f"{figures.ratio(ratio)} of the size" if ratio is not None else "made"
    metric = measured(variant)
    if metric is None:
        return "not evaluated", "warning", f"{smaller}; metric drop not measured."
    written = _loss(metric.drop, metric)
    change = f"{written} drop in {metric.heading}" if written else "no measurable metric drop"
    if max_drop is None:
        return "evaluated", "accent", f"{smaller}, {change}."
    limit = _loss(max_drop, metric) or "0"
    return "within budget", "good", f"{smaller}, {change}; budget {limit}."


def speed_sentence(variant: VariantRecord) -> str:
    """Return the measured speed of a variant in a sentence; empty where it was not measured."""
    values = figures_of(variant.summary)
    if not values.latency_ratio:
        return ""
    low, high = values.latency_interval or (values.latency_ratio, values.latency_ratio)
    threads = f", {figures.count(values.threads, 'thread')}" if values.threads else ""
    share = f"{100 * values.latency_confidence:.3g} % CI"
    interval = f" ({share} {1 / high:.2f} to {1 / low:.2f}×{threads})" if low < high else threads
    if values.latency_verdict == "undecided" and low < high:
        exact = f"{values.latency_ratio:.2f} of its time ({share} {low:.2f} to {high:.2f}{threads})"
        return f"The speed against float on this computer is inconclusive: {exact}."
    if low <= 1 <= high or values.latency_verdict == "equal":
        return f"No measurable difference in speed on this computer{interval}."
    word = "faster" if high < 1 else "slower"
    factor = 1 / values.latency_ratio if high < 1 else values.latency_ratio
    if word == "slower" and low < high:
        interval = f" ({share} {low:.2f} to {high:.2f}×{threads})"
    return f"{factor:.2f}× {word} than float on this computer{interval}."


def kept_in_float(variant: VariantRecord) -> str:
    """Return how many layers stay in float, in a sentence; empty where none does."""
    kept = len(list(figures_of(variant.summary).layers.kept))
    return f"{figures.count(kept, 'layer')} in float." if kept else ""


def _loss(loss: float, metric: MetricChange) -> str:
    """Return a loss in points where the metric is a share; empty when it rounds to nothing."""
    if 0 <= metric.before <= 1 and 0 <= metric.after <= 1:
        return f"{100 * loss:.1f} pt" if loss > 0.0005 else ""
    return f"{loss:.3g}" if loss > 0 else ""
