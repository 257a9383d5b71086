"""What the built-in registry knows of a variant, as metrics, parameters and tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import studio
from studio.registry import Registry, VariantRecord

_PERCENTILES = ("p50", "p90", "p99")


def figures_of(registry: Registry, variant: VariantRecord) -> dict[str, Any]:
    """The newest measurement of each kind, what made the variant, and where it comes from."""
    return {
        "metrics": _metrics(registry, variant),
        "parameters": _parameters(variant),
        "tags": _tags(registry, variant),
    }


def _metrics(registry: Registry, variant: VariantRecord) -> dict[str, float]:
    found: dict[str, Any] = {"size_bytes": variant.size}
    quantized = _newest(registry, "quantize", variant.id)
    if quantized:
        metric = quantized.get("metric") or {}
        if metric.get("name"):
            found[metric["name"]] = metric.get("after")
            found[f"{metric['name']}_before"] = metric.get("before")
        for name in ("size_ratio", "latency_ratio", "sqnr_db"):
            found[name] = quantized.get(name)
    evaluated = (_newest(registry, "evaluate", variant.id) or {}).get("metric") or {}
    if evaluated.get("name"):
        found[evaluated["name"]] = evaluated.get("value")
    found.update(_latency(registry, variant))
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}


def _latency(registry: Registry, variant: VariantRecord) -> dict[str, Any]:
    """Of the newest profile in which the variant took part, wherever that was run."""
    for run in registry.runs("profile"):
        for row in run.result.get("runs") or []:
            if row.get("variant_id") == variant.id and row.get("latency_ms"):
                times = {f"latency_{p}_ms": row["latency_ms"].get(p) for p in _PERCENTILES}
                return {**times, "memory_mb": row.get("memory_mb")}
    return {}


def _parameters(variant: VariantRecord) -> dict[str, str]:
    own = {"precision": variant.precision, "format": variant.format, "step": variant.step}
    # A path of this computer says nothing elsewhere.
    options = {k: v for k, v in variant.options.items() if v is not None and k != "model"}
    return {**own, **{f"{variant.step}.{name}": str(value) for name, value in options.items()}}


def _tags(registry: Registry, variant: VariantRecord) -> dict[str, str]:
    tags = {
        "edgewright.version": studio.__version__,
        "edgewright.model": f"{variant.model_name}:{variant.name}",
        "edgewright.model.digest": variant.digest,
    }
    if variant.parent is not None:
        parent = registry.variant(variant.parent)
        tags["edgewright.parent"] = f"{parent.model_name}:{parent.name}"
        tags["edgewright.parent.digest"] = parent.digest
    return tags


def _newest(registry: Registry, step: str, variant: int) -> Mapping[str, Any] | None:
    return next((run.result for run in registry.runs(step, variant, most=1)), None)
