"""What these steps need of the built-in registry, and what they add to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import studio
from studio.api import UsageError
from studio.documents.dataclass_json import from_json
from studio.external_registries.saved_registries import SavedRegistries
from studio.jobs import Arguments, Result
from studio.models.record import keep_opened
from studio.models.results import OpenResult
from studio.packages import record as packages
from studio.registry import Registry, VariantRecord, VersionRecord, component_of, counters
from studio.registry.activity import moment_elsewhere

_REMEMBERED = 50
_SOURCE = ("registry", "name", "version", "run")


def prepare(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Say where the registry is."""
    place = SavedRegistries(registry.folder).place(arguments["registry"])
    return {**arguments, "place": asdict(place)}


def prepare_push(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Find the bundle of a version that was asked for, or number a new one; add the figures."""
    placed = prepare(registry, arguments)
    if not placed.get("model"):
        if not placed.get("bundle"):
            raise UsageError("Nothing was named to push.", hint="Give a model or a bundle.")
        return placed
    variant = registry.variant(int(placed["model"]["variant"]))
    if placed.get("version") is None:
        numbered = packages.prepare(registry, placed)
        return {**numbered, "figures": figures_of(registry, variant)}
    version = _numbered(registry, variant, int(placed["version"]))
    own = registry.variant(version.variant)
    return {**placed, "bundle": str(version.path), "figures": figures_of(registry, own)}


def prepare_pull(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Add the bundles that are here already."""
    known = [str(version.path) for version in registry.versions()[:_REMEMBERED]]
    return {**prepare(registry, arguments), "known": known}


def pushed(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the bundle as a version, and note where it went."""
    packaged = result.pop("packaged")
    version = packages.keep(registry, arguments["model"], packaged) if packaged else None
    version = version or _by_digest(registry, result["release"])
    registry.add_run(
        "registry-push", version.variant if version else None, _given(arguments), result
    )
    return result


def pulled(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep a version that was fetched: its model as a variant, its bundle as a version."""
    opened, packaged = result.pop("opened"), result.pop("packaged")
    source = {name: result[name] for name in _SOURCE}
    figures = from_json(OpenResult, opened)
    variant = keep_opened(registry, figures, folder / "opened", "registry-pull", source)
    version = _by_digest(registry, packaged["digest"])
    if version is None:
        name = component_of(f"{packaged['name']}-{packaged['version']}")
        bundle = registry.adopt_made(Path(packaged["bundle"]), name)
        version = registry.add_version(
            variant.model,
            variant.id,
            bundle,
            packaged["digest"],
            counters.foreign(int(packaged["counter"])),
            created=moment_elsewhere(packaged.get("created")),
        )
    final = {
        **result,
        "model": variant.model_name,
        "variant": version.variant,
        "variant_name": registry.variant(version.variant).name,
        "bundle": str(version.path),
        "release": version.digest,
        "number": version.number,
    }
    registry.add_run("registry-pull", version.variant, _given(arguments), final)
    return final


def aliased(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Note the move."""
    registry.add_run("registry-alias", None, _given(arguments), result)
    return result


def releases_known(registry: Registry) -> dict[str, str]:
    """The release that each version of a registry became when it was pulled, by ``key_of``."""
    return {
        key_of(run.result["registry"], run.result["name"], run.result["version"]): str(
            run.result["release"]
        )
        for run in reversed(registry.runs("registry-pull"))
    }


def key_of(address: str, name: str, version: str) -> str:
    """A version of a registry in one text."""
    return f"{address}#{name}/{version}"


def _numbered(registry: Registry, variant: VariantRecord, number: int) -> VersionRecord:
    for version in registry.versions(variant.model):
        if version.number == number:
            return version
    raise UsageError(
        f"{variant.model_name} has no version {number} here.",
        hint="studio package makes one; without --version the model is packaged and pushed.",
    )


def _by_digest(registry: Registry, digest: str) -> VersionRecord | None:
    return next((one for one in registry.versions() if one.digest == digest), None)


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    hidden = ("model", "known", "number", "place", "figures", "target", "latency")
    return {k: v for k, v in arguments.items() if k not in hidden and v not in (None, [], "")}


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
