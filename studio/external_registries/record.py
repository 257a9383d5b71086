"""Registry data that the steps of external registries read and record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import studio
from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue, from_json, to_json
from studio.external_registries.reference import RegistryAddress, split_address
from studio.external_registries.results import MovedAlias, PullResult, PushResult
from studio.external_registries.saved_registries import SavedRegistries
from studio.external_registries.step import (
    FetchedVersion,
    ListOptions,
    MoveAliasOptions,
    PlacedOptions,
    PublishedFigures,
    PullOptions,
    PushOptions,
)
from studio.jobs.options_form import form
from studio.lazy_dataclass import dataclass
from studio.models.record import keep_opened
from studio.packages import record as packages
from studio.packages.signing import write_signature
from studio.profiling.results import ProfileResult
from studio.registry import Registry, VariantRecord, VersionRecord, component_of, counters
from studio.registry.activity import external_time
from studio.runtime.shared.manifest import SIGNATURE

PlacedT = TypeVar("PlacedT", ListOptions, MoveAliasOptions, PullOptions, PushOptions)

_REMEMBERED = 50
_UNSTORED = ("model", "target")


def prepare(registry: Registry, options: PlacedT) -> PlacedT:
    """Add the address of the registry."""
    return replace(options, place=place_of(registry, options.registry))


def place_of(registry: Registry, name: str) -> RegistryAddress:
    """Return the address of a registry from its name, its kind or its address."""
    return SavedRegistries(registry.folder).place(name)


def prepare_push(registry: Registry, options: PushOptions) -> PushOptions:
    """Find the bundle of the given version, or number a new one; add the variant's metrics."""
    placed = prepare(registry, options)
    if placed.model is None:
        if not placed.bundle:
            raise UsageError("Missing model or bundle.", hint="Pass a model or a bundle folder.")
        return placed
    variant = registry.variant(placed.model.variant)
    if placed.version is None:
        numbering = packages.numbering(registry, placed.model)
        return replace(placed, numbering=numbering, figures=_figures(registry, variant))
    version = _numbered(registry, variant, placed.version)
    registry.fetch(version.path)
    figures = _figures(registry, registry.variant(version.variant))
    return replace(placed, bundle=version.path, figures=figures)


def prepare_pull(registry: Registry, options: PullOptions) -> PullOptions:
    """Add the bundles on this computer; an address with a name is split into both."""
    address, name = split_address(options.name)
    if address:
        options = replace(options, registry=address, name=name)
    return replace(prepare(registry, options), known=local_bundles(registry))


def local_bundles(registry: Registry) -> tuple[Path, ...]:
    """Return the folders of the newest bundles."""
    return tuple(version.path for version in registry.versions()[:_REMEMBERED])


def record_push(
    registry: Registry, options: PushOptions, result: PushResult, folder: Path
) -> PushResult:
    """Store the bundle as a version, and record the push."""
    final, version = replace(result, packaged=None), None
    if result.packaged is not None and options.model is not None:
        version = packages.store_version(registry, options.model, result.packaged)
    version = version or _by_digest(registry, final.release)
    variant = version.variant if version else None
    registry.add_run("registry-push", variant, stored_options(options), to_json(final))
    return final


def record_pull(
    registry: Registry, options: PullOptions, result: FetchedVersion, folder: Path
) -> PullResult:
    """Store a fetched version: its model as a variant, its bundle as a version."""
    opened, packaged = result.files.opened, result.files.packaged
    source = {
        "registry": result.registry,
        "name": result.name,
        "version": result.version,
        "run": result.run,
    }
    variant = keep_opened(registry, opened, folder / "opened", "registry-pull", source)
    version = _by_digest(registry, packaged.digest)
    if version is None:
        name = component_of(f"{packaged.name}-{packaged.version}")
        version = registry.add_version(
            variant.model,
            variant.id,
            registry.adopt_made(Path(packaged.bundle), name),
            packaged.digest,
            counters.foreign(packaged.counter),
            created=external_time(packaged.created),
        )
    final = PullResult(
        **source,
        aliases=result.aliases,
        references=result.references,
        model=variant.model_name,
        variant=version.variant,
        variant_name=registry.variant(version.variant).name,
        bundle=str(version.path),
        release=version.digest,
        number=version.number,
    )
    if options.out:
        _copy(version.path, Path(packaged.bundle), options.out)
        final = replace(final, bundle=str(options.out))
    registry.add_run("registry-pull", version.variant, stored_options(options), to_json(final))
    return final


def _copy(kept: Path, pulled: Path, out: Path) -> None:
    """Copy a bundle, with the pulled signature where the same bundle was here without one."""
    packages.copy_bundle(kept, out)
    if (pulled / SIGNATURE).is_file() and not (out / SIGNATURE).exists():
        write_signature(out, (pulled / SIGNATURE).read_text("ascii"))


def record_alias(
    registry: Registry, options: MoveAliasOptions, result: MovedAlias, folder: Path
) -> MovedAlias:
    """Record the move of an alias."""
    registry.add_run("registry-alias", None, stored_options(options), to_json(result))
    return result


def releases_known(registry: Registry) -> dict[str, str]:
    """Return the release of each pulled version, by ``key_of``."""
    pulled = (from_json(PullResult, run.result) for run in reversed(registry.runs("registry-pull")))
    return {key_of(one.registry, one.name, one.version): one.release for one in pulled}


def key_of(address: str, name: str, version: str) -> str:
    """Return the key of a version in a registry."""
    return f"{address}#{name}/{version}"


def stored_options(options: PlacedOptions) -> dict[str, JsonValue]:
    """Return the user's options, as the registry stores them with a result."""
    values = to_json(options)
    names = [one.name for one in form(type(options)) if one.name not in _UNSTORED]
    return {name: values[name] for name in names if values[name] not in (None, [], "")}


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


# Metrics published with a bundle


def _figures(registry: Registry, variant: VariantRecord) -> PublishedFigures:
    """Return the newest measurements of a variant, its step, and its origin."""
    return PublishedFigures(
        _metrics(registry, variant), _parameters(variant), _tags(registry, variant)
    )


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str = ""
    value: float | None = None
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class _Measured:
    """The metrics in a result of ``quantize`` or ``evaluate``."""

    metric: _Metric | None = None
    size_ratio: float | None = None
    latency_ratio: float | None = None
    sqnr_db: float | None = None


def _metrics(registry: Registry, variant: VariantRecord) -> dict[str, float]:
    quantized = _newest(registry, "quantize", variant.id)
    evaluated = _newest(registry, "evaluate", variant.id)
    found: dict[str, float | None] = {"size_bytes": variant.size}
    if quantized.metric and quantized.metric.name:
        found[quantized.metric.name] = quantized.metric.after
        found[f"{quantized.metric.name}_before"] = quantized.metric.before
    found |= {
        "size_ratio": quantized.size_ratio,
        "latency_ratio": quantized.latency_ratio,
        "sqnr_db": quantized.sqnr_db,
    }
    if evaluated.metric and evaluated.metric.name:
        found[evaluated.metric.name] = evaluated.metric.value
    found |= _latency(registry, variant)
    return {name: float(value) for name, value in found.items() if value is not None}


def _latency(registry: Registry, variant: VariantRecord) -> dict[str, float | None]:
    """Return the latency in the newest profile of the variant, on any target."""
    for recorded in registry.runs("profile"):
        for run in from_json(ProfileResult, recorded.result).runs:
            if run.variant_id == variant.id and run.latency_ms.p50 is not None:
                return {
                    "latency_p50_ms": run.latency_ms.p50,
                    "latency_p90_ms": run.latency_ms.p90,
                    "latency_p99_ms": run.latency_ms.p99,
                    "memory_mb": run.memory_mb,
                }
    return {}


def _parameters(variant: VariantRecord) -> dict[str, str]:
    own = {"precision": variant.precision, "format": variant.format, "step": variant.step}
    # A path is only valid on this computer.
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


def _newest(registry: Registry, step: str, variant: int) -> _Measured:
    """Return the metrics of the newest result of a step; empty without one."""
    results = (run.result for run in registry.runs(step, variant, most=1))
    return from_json(_Measured, next(results, {}))
