"""Registry records of quantization."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from studio.conversion.chips.record import STEP as CHECK
from studio.documents.dataclass_json import to_json
from studio.evaluation.results import EvaluationResult
from studio.quantization.results import FrontPoint, QuantizeResult, SearchReport
from studio.quantization.step import METHODS, EvaluateOptions, QuantizeOptions, SensitivityOptions
from studio.registry import Registry, VariantRecord, below, component_of
from studio.registry.copies import Copy

_NAMES = {"dynamic-int8": "{}-dynamic", "weight-only": "{}-weights"}
"""Names of variants that are not simply their precision."""

_OURS = ("model", "preset_name", "sensitivity", "signature")
"""Fields with another spelling, or without an option."""


def quantized(
    registry: Registry, options: QuantizeOptions, result: QuantizeResult, folder: Path
) -> QuantizeResult:
    """Add the new variant, copy it to ``out``, and give the step's final result.

    Raises:
        StudioError: when the copy cannot be written; nothing is added then.
    """
    parent, files = registry.variant(options.model.variant), result.files
    assert files is not None
    figures = replace(result, files=None)
    made, graph = below(folder, files.file), below(folder, files.graph)
    details = below(folder, files.details)
    copy = Copy.begin(made, str(options.out) if options.out else None)
    variant = registry.add_variant(
        parent.model,
        options.name or _name(options, result),
        registry.adopt(made, component_of(f"{parent.model_name}{made.suffix}")),
        format=parent.format,
        precision=result.precision,
        parent=parent.id,
        step="quantize",
        options=result.preset,
        summary={**to_json(files.summary), "quantize": to_json(figures)},
        graph=registry.adopt(graph),
    )
    output = copy.finish() if copy else variant.path
    final = replace(
        figures,
        output=str(output),
        model=variant.model_name,
        variant=variant.id,
        name=variant.name,
        front=tuple(_front(parent, variant, result)),
    )
    if result.chip is not None:
        registry.add_run(CHECK, variant.id, {"for": result.chip.chip}, to_json(result.chip))
    artifacts = {"details": registry.adopt(details)}
    registry.add_run("quantize", variant.id, as_preset(options), to_json(final), artifacts)
    return final


def evaluated(
    registry: Registry, options: EvaluateOptions, result: EvaluationResult, folder: Path
) -> EvaluationResult:
    """Keep the score."""
    registry.add_run("evaluate", options.model.variant, as_preset(options), to_json(result))
    return result


def _name(options: QuantizeOptions, result: QuantizeResult) -> str:
    """Return the preset's name if its method was used, else the precision."""
    method = str(result.preset["method"])
    preset = Path(options.preset_name)
    if preset.suffix == ".toml" and f'method = "{method}"' in (options.preset or ""):
        return preset.stem
    of_a_plugin = "{}" if method in METHODS else f"{{}}-{method}"
    return _NAMES.get(method, of_a_plugin).format(result.precision)


def _front(
    parent: VariantRecord, variant: VariantRecord, result: QuantizeResult
) -> Iterator[FrontPoint]:
    """Yield points of quality, time and size: both models, and the search's Pareto front.

    The two are judged on samples that no choice has seen, the others (which were not kept, and have
    no variant) on those of the search.
    """
    metric, sizes = result.metric, result.bytes
    yield FrontPoint(
        variant=parent.id,
        name=parent.name,
        precision=parent.precision,
        bytes=sizes.before,
        metric=metric.before if metric else None,
        latency_ratio=1.0,
    )
    yield FrontPoint(
        variant=variant.id,
        name=variant.name,
        precision=variant.precision,
        bytes=sizes.after,
        metric=metric.after if metric else None,
        latency_ratio=result.latency_ratio,
        sqnr_db=result.sqnr_db,
        float_layers=len(result.layers.kept),
    )
    search = result.search or SearchReport()
    for trial in search.front:
        if trial.kept != search.chosen:
            count = len(trial.kept)
            yield FrontPoint(
                variant=None,
                name=f"{variant.name}, {count} layers in float",
                precision="int8",
                bytes=trial.bytes,
                metric=trial.score,
                latency_ratio=trial.latency_ratio,
                float_layers=count,
                judged_on="search",
            )


def as_preset(options: QuantizeOptions | SensitivityOptions | EvaluateOptions) -> dict[str, object]:
    """Return the options with the names of a preset."""
    values: dict[str, object] = to_json(options)
    given = {k: v for k, v in values.items() if v not in (None, [], "") and k not in _OURS}
    return {"model": f"{options.model.model_name}:{options.model.name}", **given}
