"""Sensitivities in the registry: kept under what they depend on, found again by a search."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from studio.documents.dataclass_json import from_json, to_json
from studio.jobs import Arguments
from studio.quantization import presets
from studio.quantization.preset import Preset
from studio.quantization.record import asked
from studio.quantization.results import SensitivityResult
from studio.registry import ModelRef, Registry

STEP = "sensitivity"


@dataclass(frozen=True, slots=True)
class StoredCost:
    """What a run has found about a layer, as a search reads it."""

    sqnr_db: float
    float_us: float
    int8_us: float

    @property
    def gain_us(self) -> float:
        """What quantizing the layer saves."""
        return self.float_us - self.int8_us


def signature(model_digest: str, data: Path, preset: Preset) -> str:
    """A digest of all that the costs depend on.

    Data are told apart by names, sizes and times of their files; to read gigabytes would take
    longer than to measure again.
    """
    files = sorted(path for path in data.rglob("*") if path.is_file()) if data.is_dir() else [data]
    listing = [
        (path.relative_to(data).as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
        for path in files
    ]
    whole = json.dumps([model_digest, listing, preset.to_json()], sort_keys=True, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()


def signed(registry: Registry, arguments: Arguments) -> Arguments:
    """The arguments with the preset's text, and the signature of what they ask for."""
    ready = presets.prepare(registry, arguments)
    return {**ready, "signature": _signature(registry, ready)}


def offered(registry: Registry, arguments: Arguments) -> Arguments:
    """What ``presets.prepare`` gives; for a search with the costs that were measured before."""
    ready = presets.prepare(registry, arguments)
    if not ready.get("search") or not ready.get("data"):
        return ready
    wanted = _signature(registry, ready)
    variant = ModelRef.from_json(ready["model"]).variant
    runs = registry.runs(STEP, variant)
    found = next((run.result for run in runs if run.result.get("signature") == wanted), None)
    return ready if found is None else {**ready, "sensitivity": dict(found)}


def costs_from(
    arguments: Arguments, backend: Mapping[str, str], layers: Collection[str]
) -> dict[str, StoredCost] | None:
    """The offered costs, if another runtime has not made them untrue.

    Args:
        layers: Names of the layers that the search chooses from.
    """
    if not arguments.get("sensitivity"):
        return None
    offer = from_json(SensitivityResult, arguments["sensitivity"])
    if to_json(offer.backend) != dict(backend):
        return None
    costs = {layer.name: layer for layer in offer.layers}
    if set(costs) != set(layers):
        return None
    return {
        name: StoredCost(cost.sqnr_db, cost.float_us, cost.int8_us) for name, cost in costs.items()
    }


def record(
    registry: Registry, arguments: Arguments, result: SensitivityResult, folder: Path
) -> SensitivityResult:
    """Keep the run; searches find it by its signature."""
    variant = ModelRef.from_json(arguments["model"]).variant
    registry.add_run(STEP, variant, asked(arguments), to_json(result))
    return result


def _signature(registry: Registry, arguments: Arguments) -> str:
    variant = registry.variant(ModelRef.from_json(arguments["model"]).variant)
    return signature(variant.digest, Path(arguments["data"]), Preset.of(arguments))
