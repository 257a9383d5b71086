"""The collection of a subject's records from the registry, in the parent process."""

from __future__ import annotations

import contextlib
import getpass
import importlib.metadata
import platform
import zlib
from collections.abc import Iterator

import studio
from studio.features.evidence.incidents.incident_files import IncidentFiles
from studio.features.evidence.market.setup import monitoring_setup
from studio.features.evidence.records.records import (
    DECISIONS,
    RecordedFile,
    RecordedRelease,
    RecordedRun,
    RecordedVariant,
    Records,
    ReleaseDetails,
)
from studio.features.evidence.records.subject import Named
from studio.projects.projects import Projects
from studio.quantization.results import figures_of
from studio.registry import ModelRef, Registry, RunRecord, VariantRecord
from studio.runtime.shared.manifest import SIGNATURE
from studio.versions.results import Lineage
from studio.versions.versions import NamedVersion, ancestors, lineage

RUN_STEPS = (
    *("evaluate", "quantize", "sensitivity", "profile", "monitor", "call", "stream"),
    DECISIONS,
)
"""Steps whose newest run is evidence; those that this stage runs are measured for the folder."""

_LIBRARIES = ("numpy", "onnx", "onnxruntime", "pillow", "reportlab")
_MOST_RELEASES = 500


def collect(registry: Registry, named: Named) -> Records:
    """Return the records of a subject.

    Raises:
        StudioError: when the model's file of incidents is damaged or was altered.
    """
    variant = named.variant
    reference = registry.original(variant)
    origin = _lineage(registry, named)
    signed = named.version is not None and (named.version.path / SIGNATURE).is_file()
    return Records(
        subject=named.subject,
        variant=_variant(variant),
        reference=_variant(reference),
        ancestors=origin.variants if origin else tuple(ancestors(registry, variant.id)),
        project=Projects(registry).of(variant),
        lineage=origin,
        runs=(*_runs(registry, (variant, reference)), *_comparison(registry, variant)),
        releases=tuple(_releases(registry, variant)),
        moves=origin.moves if origin else (),
        signed=signed,
        by=getpass.getuser(),
        tools=tools(),
        incidents=IncidentFiles(registry).of(variant.model_name),
        setup=monitoring_setup(
            registry,
            variant.model_name,
            named.version,
            next(iter(registry.runs("monitor", variant.id, 1)), None),
        ),
    )


def tools() -> dict[str, str]:
    """Return the versions of what measures and writes."""
    found = {
        "edgewright": studio.__version__,
        "python": platform.python_version(),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }
    for name in _LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return dict(sorted(found.items()))


def _lineage(registry: Registry, named: Named) -> Lineage | None:
    if named.version is None:
        return None
    return lineage(registry, NamedVersion(named.variant.model_name, named.version))


def _variant(variant: VariantRecord) -> RecordedVariant:
    return RecordedVariant(
        ModelRef.of(variant), variant.step, variant.options, variant.summary, variant.created
    )


def _runs(registry: Registry, variants: tuple[VariantRecord, ...]) -> Iterator[RecordedRun]:
    """Yield the newest run of each step; a profile stands under the first of its models."""
    for step in RUN_STEPS:
        for variant in dict.fromkeys(one.id for one in variants):
            for run in registry.runs(step, variant, 1):
                yield _run(registry, run)


def _comparison(registry: Registry, variant: VariantRecord) -> Iterator[RecordedRun]:
    """Yield the newest quantization of a variant that evaluated the variant itself, too."""
    made_of_it = [
        one.id
        for one in registry.variants(variant.model)
        if one.parent == variant.id and figures_of(one.summary).metric is not None
    ]
    runs = (run for number in made_of_it for run in registry.runs("quantize", number, 1))
    newest = max(runs, key=lambda run: run.id, default=None)
    if newest is not None:
        yield _run(registry, newest)


def _run(registry: Registry, run: RunRecord) -> RecordedRun:
    variant = registry.variant(run.variant).name if run.variant is not None else ""
    files = {
        name: RecordedFile(str(one.path), one.digest, one.size)
        for name, one in run.artifacts.items()
    }
    return RecordedRun(run.step, run.id, variant, run.options, run.result, files, run.created)


def _releases(registry: Registry, variant: VariantRecord) -> Iterator[RecordedRelease]:
    """Yield the changes of the model's versions on all targets, the oldest first."""
    versions = {one.id: one.number for one in registry.versions(variant.model)}
    rows = [one for one in registry.releases() if one.version in versions]
    for row in sorted(rows, key=lambda one: one.id)[-_MOST_RELEASES:]:
        number = versions[row.version] if row.version is not None else ""
        details = ReleaseDetails.read(row.details)
        yield RecordedRelease(
            row.target,
            f"{variant.model_name}:{number}",
            row.digest,
            row.state,
            row.created,
            details.by or "",
            details.reason or "",
            details.soak,
            details.log,
        )
