"""Sensitivities in the registry: kept under what they depend on, found again by a search."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.evaluation.results import RuntimeVersion
from studio.quantization import presets
from studio.quantization.chips.preset import for_chip
from studio.quantization.preset import Preset
from studio.quantization.record import as_preset
from studio.quantization.results import LayerTiming, SensitivityResult
from studio.quantization.step import QuantizeOptions, SensitivityOptions
from studio.registry import Registry

STEP = "sensitivity"


def signature(
    model_digest: str, data: Path, preset: Preset, float_nodes: Sequence[str] = ()
) -> str:
    """Return a digest of all that the costs depend on.

    Data are identified by names, sizes and times of their files; to read gigabytes would take
    longer than to measure again.
    """
    files = sorted(path for path in data.rglob("*") if path.is_file()) if data.is_dir() else [data]
    listing = [
        (path.relative_to(data).as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
        for path in files
    ]
    parts = [model_digest, listing, preset.to_json(), *map(str, float_nodes)]
    whole = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()


def signed(registry: Registry, options: SensitivityOptions) -> SensitivityOptions:
    """Return the options with the preset's text and its signature."""
    ready = presets.prepare(registry, options)
    return replace(ready, signature=_signature(registry, ready, ready.data))


def offered(registry: Registry, options: QuantizeOptions) -> QuantizeOptions:
    """Return the result of ``presets.prepare``; for a search with the stored costs."""
    ready = presets.prepare(registry, for_chip(registry, options))
    if not ready.search or ready.data is None:
        return ready
    wanted = _signature(registry, ready, ready.data)
    return replace(ready, sensitivity=_stored(registry, ready.model.variant, wanted))


def _stored(registry: Registry, variant: int, wanted: str) -> SensitivityResult | None:
    """Return the stored sensitivity with this signature."""
    for run in registry.runs(STEP, variant):
        try:
            result = from_json(SensitivityResult, run.result)
        except InvalidDocument:
            continue
        if result.signature == wanted:
            return result
    return None


def costs_from(
    options: QuantizeOptions | None, backend: RuntimeVersion, layers: Collection[str]
) -> dict[str, LayerTiming] | None:
    """Return the offered costs, unless another runtime has invalidated them.

    Args:
        layers: Names of the layers that the search chooses from.
    """
    offer = options.sensitivity if options is not None else None
    if offer is None or offer.backend != backend:
        return None
    costs = {
        cost.name: LayerTiming(
            cost.sqnr_db, cost.float_us, cost.int8_us, cost.float_us - cost.int8_us
        )
        for cost in offer.layers
    }
    # Costs of other layers would leave some of the search's layers without one.
    return costs if set(costs) == set(layers) else None


def record(
    registry: Registry, options: SensitivityOptions, result: SensitivityResult, folder: Path
) -> SensitivityResult:
    """Keep the run; searches find it by its signature."""
    registry.add_run(STEP, options.model.variant, as_preset(options), to_json(result))
    return result


def _signature(
    registry: Registry, options: QuantizeOptions | SensitivityOptions, data: Path
) -> str:
    digest = registry.variant(options.model.variant).digest
    return signature(digest, data, Preset.from_options(options), options.float_nodes)
