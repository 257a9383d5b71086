"""Where numbers and states of nodes come from: costs, profiles, quantizations, files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from studio.gui import figures
from studio.gui.graph.costs import KINDS, WRITTEN, CostKind, short_count
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.models.results import AnalysisResult
    from studio.quantization.results import QuantizeResult, SensitivityResult
    from studio.workspace import GraphView, Recorded, RunRecord, VariantRecord

_MOST_RUNS = 10

NOISE = "Noise at the output from one layer alone (smaller dB is worse)"
_ERROR = "Quantization error"

FLOAT, SMALL = "float", "quantized"
"""States of a layer after quantization."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source of node metrics: numbers or states by node name.

    Attributes:
        title: In the list of sources.
        legend: On the canvas.
        text: How a number is written.
        sums: Whether a block's number is the sum of its nodes' (otherwise their largest), and a
            share of the whole means something.
        states: Of each node, instead of numbers.
        notes: What is said about a node beside its number or state.
        unit, measure: The unit of what is written into files, and the number in it.
        analyzer: The id of the analyzer that has yet to compute the numbers.
        shows_zeros: Whether a node with 0 is listed; one without a cost is not.
    """

    title: str
    legend: str
    text: Callable[[float], str] = str
    values: Mapping[str, float] = field(default_factory=dict)
    sums: bool = True
    states: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    measure: Callable[[float], float] = float
    analyzer: str = ""
    shows_zeros: bool = False


def sources_of(
    view: GraphView,
    variant: VariantRecord | None,
    profiles: Sequence[RunRecord] = (),
    quantizations: Sequence[Recorded[QuantizeResult]] = (),
    sensitivities: Sequence[Recorded[SensitivityResult]] = (),
) -> Iterator[Source]:
    """Yield all sources that have something to say about a variant."""
    for kind in (*KINDS, WRITTEN):
        yield from_cost(kind, view)
    if variant is None:
        return
    mine = [run for run in profiles if variant.id in run.options.get("models", ())]
    for run in mine[:_MOST_RUNS]:
        yield from _profiled(run.result, variant, figures.moment(run.created))
    for measured in [one for one in sensitivities if one.variant == variant.id][:_MOST_RUNS]:
        yield from sensitivity_sources(measured.result, figures.moment(measured.created))
    for made in quantizations:
        if variant.id in (made.result.variant, made.options.get("variant")):
            yield from _quantized(made.result, view)


def analyzer_source(identifier: str, title: str, found: AnalysisResult | None) -> Source:
    """Return the numbers of an analyzer; to be computed where there is no result yet."""
    if found is None:
        return Source(title, title, analyzer=identifier)
    return replace(from_file(title, found.unit, found.values), shows_zeros=True)


def from_cost(kind: CostKind, view: GraphView) -> Source:
    """Return the source of the nodes' costs."""
    return Source(kind.title, kind.legend, kind.text, kind.values(view), unit=kind.unit)


def from_file(title: str, unit: str, values: Mapping[str, float]) -> Source:
    """Return the numbers of a file."""

    def text(value: float) -> str:
        return f"{short_count(value)} {unit}".strip().replace("-", figures.MINUS)

    return Source(title, title, text, values, sums=False, unit=unit)


def _profiled(result: Mapping[str, Any], variant: VariantRecord, when: str) -> Iterator[Source]:
    """The times of a variant's operators in a profile, for each way in which it was measured."""
    name = f"{variant.model_name}:{variant.name}"
    for one in result.get("operators") or ():
        run = str(one["run"])
        if run == name or run.startswith((f"{name}@", f"{name} (")):
            values = _times(one["nodes"])
            kernels = {node["name"]: _kernels(node) for node in one["nodes"]}
            where = run[len(name) :].strip("@ ")
            title = " · ".join(part for part in ("Time", where, when) if part)
            legend = f"Time of a node in an inference{_basis(one)}"
            yield Source(
                title,
                legend,
                _microseconds,
                values,
                notes=kernels,
                unit="ms",
                measure=lambda value: value / 1000,
            )
            places = {
                node["name"]: " + ".join(node["providers"])
                for node in one["nodes"]
                if node.get("providers")
            }
            for part in one.get("compiled") or ():
                places.update(dict.fromkeys(part.get("nodes") or (), part["provider"]))
            title = " · ".join(part for part in ("Placement", where, when) if part)
            yield Source(title, "Execution provider of a node", states=places, notes=kernels)


def _times(nodes: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Microseconds by node; one with blocks has what its blocks took, too."""
    values: dict[str, float] = {}
    for node in nodes:
        outer = (node.get("within") or [node["name"]])[0]
        values[outer] = values.get(outer, 0.0) + float(node["us"])
    for node in nodes:
        if node.get("within"):
            values.setdefault(node["name"], float(node["us"]))
    return values


def _kernels(node: Mapping[str, Any]) -> str:
    """Return the kernels behind a node, and what else they compute."""
    kernels = ", ".join(dict.fromkeys(node.get("kernels", ())))
    fused = node.get("fused") or ()
    return f"{kernels} (with {figures.count(len(fused), 'fused node')})" if fused else kernels


def _basis(operators: Mapping[str, Any]) -> str:
    """Return how much of the kernels' time the numbers hold, and what measuring them costs."""
    parts = []
    share, overhead = (figures.number(operators.get(key)) for key in ("attributed", "overhead"))
    if share is not None:
        parts.append(f"{100 * share:.0f} % of the kernels' time")
    if overhead is not None:
        parts.append(f"profiling costs {100 * max(0.0, overhead):.0f} %")
    return f" ({', '.join(parts)})" if parts else ""


def sensitivity_sources(result: SensitivityResult, when: str) -> Iterator[Source]:
    """The error of each layer alone, with its loss of the metric, and the time that int8 saves."""
    title = result.metric.title.lower() if result.metric is not None else ""
    notes = {
        layer.name: f"drop of {layer.drop:.4f} in {title}"
        for layer in result.layers
        if layer.drop is not None
    }
    noise = {layer.name: _amplitude(layer.sqnr_db) for layer in result.layers}
    yield Source(
        f"{_ERROR} · {when}",
        NOISE,
        _decibels,
        noise,
        sums=False,
        notes=notes,
        unit="dB",
        measure=_ratio,
    )
    saved = {layer.name: layer.gain_us for layer in result.layers}
    yield Source(f"Time that int8 saves · {when}", "Time that int8 saves", _microseconds, saved)


def _quantized(result: QuantizeResult, view: GraphView) -> Iterator[Source]:
    """Yield a quantization's metrics of the layers: the error of each, and those kept in float."""
    made, search = result.name, result.search
    layers = search.layers if search is not None else {}
    noise = {name: _amplitude(layer.sqnr_db) for name, layer in layers.items()}
    if noise:
        yield Source(
            f"{_ERROR} · {made}", NOISE, _decibels, noise, sums=False, unit="dB", measure=_ratio
        )
    facts = result.layers
    if facts.operators:
        states = {
            node.name: FLOAT if node.name in facts.kept else SMALL
            for node in view.model.graph.nodes
            if node.operator in facts.operators
        }
        title = f"Precision of layers · {made}"
        yield Source(title, "Precision of layers", states=states, notes=facts.reasons)


def _microseconds(value: float) -> str:
    if abs(value) >= 1000:
        return f"{figures.milliseconds(value / 1000)} ms".replace("-", figures.MINUS)
    return f"{value:.3g} µs".replace("-", figures.MINUS)


def _amplitude(sqnr_db: float) -> float:
    """Return the noise for a signal of 1; its colours separate layers better than the power's."""
    return float(10 ** (-sqnr_db / 20))


def _decibels(noise: float) -> str:
    return f"{_ratio(noise):.1f} dB".replace("-", figures.MINUS) if noise > 0 else "none"


def _ratio(noise: float) -> float:
    """Decibels of a signal above its noise."""
    return -20 * math.log10(noise)
