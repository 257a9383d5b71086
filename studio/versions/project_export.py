"""The export of a project to an archive: models, variants, versions, aliases and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import studio
from studio.api import StudioError, UsageError
from studio.documents.dataclass_json import to_json
from studio.jobs import Job
from studio.registry import ModelRecord, MoveRecord, Registry, VariantRecord, VersionRecord
from studio.registry.copies import Copy
from studio.versions.project_archive import FORMAT, ArchiveWriter
from studio.versions.project_listing import (
    ArchivedFile,
    ArchivedModel,
    ArchivedMove,
    ArchivedVariant,
    ArchivedVersion,
    PlannedFiles,
    PlannedModel,
    ProjectListing,
)
from studio.versions.results import ExportResult
from studio.versions.step import ExportOptions
from studio.versions.versions import model_named

_FILE = "project.zip"


def prepare(registry: Registry, options: ExportOptions) -> ExportOptions:
    """Add the rows to export, and the places of their files.

    Raises:
        UsageError: when a model does not exist, or there is nothing to export.
    """
    names = options.model or [model.name for model in registry.models()]
    wanted = {model_named(registry, name) for name in names}
    models = [m for m in sorted(registry.models(), key=lambda m: m.name) if m.id in wanted]
    if not models:
        raise UsageError("No model to export.", hint="Open a model first.")
    return replace(options, models=tuple(_model(registry, model) for model in models))


def export(options: ExportOptions, job: Job) -> ExportResult:
    """Write the archive below ``job.folder``."""
    writer = ArchiveWriter(job.folder / _FILE)
    total, done = sum(len(planned.files) for planned in options.models), 0
    models = []
    for planned in options.models:
        added: list[tuple[ArchivedFile, ...]] = []
        for source in planned.files:
            job.progress(done, total, f"Adding {planned.model.name}")
            place = Path(source.place)
            added.append(tuple((name, *writer.add(place / name)) for name in source.names))
            done += 1
        models.append(_with_files(planned.model, added))
    writer.finish(to_json(ProjectListing(FORMAT, tuple(models), studio.__version__)))
    return ExportResult(
        models=tuple(model.name for model in models),
        variants=sum(len(model.variants) for model in models),
        versions=sum(len(model.versions) for model in models),
        bytes=(job.folder / _FILE).stat().st_size,
    )


def move_to_output(
    registry: Registry, options: ExportOptions, result: ExportResult, folder: Path
) -> ExportResult:
    """Move the archive to the output path."""
    copy = Copy.begin(folder / _FILE, str(options.out))
    assert copy is not None
    return replace(result, output=str(copy.finish()))


def _with_files(model: ArchivedModel, files: list[tuple[ArchivedFile, ...]]) -> ArchivedModel:
    """Add the files of the rows to a model: of the variants, then of the versions."""
    count = len(model.variants)
    return replace(
        model,
        variants=tuple(
            replace(row, files=own) for row, own in zip(model.variants, files[:count], strict=True)
        ),
        versions=tuple(
            replace(row, files=own) for row, own in zip(model.versions, files[count:], strict=True)
        ),
    )


def _model(registry: Registry, model: ModelRecord) -> PlannedModel:
    variants = registry.variants(model.id)
    positions = {variant.id: number for number, variant in enumerate(variants)}
    # A version whose bundle was collected has no files to export.
    versions = [one for one in reversed(registry.versions(model.id)) if registry.has(one.path)]
    for version in versions:
        registry.fetch(version.path)
    numbers = {one.id: one.number for one in versions}
    ledger = registry.ledger
    places = [_place(registry, one) for one in variants]
    rows = ArchivedModel(
        name=model.name,
        variants=tuple(
            _variant(registry, one, place, positions)
            for one, place in zip(variants, places, strict=True)
        ),
        versions=tuple(_version(one, positions) for one in versions),
        aliases={
            one.name: numbers[one.version]
            for one in ledger.aliases(model.id)
            if one.version in numbers
        },
        moves=tuple(_move(one, numbers) for one in reversed(ledger.moves(model.id))),
    )
    files = [
        *(
            _variant_files(registry, one, place)
            for one, place in zip(variants, places, strict=True)
        ),
        *(_files(version.path) for version in versions),
    ]
    return PlannedModel(rows, tuple(files))


def _place(registry: Registry, variant: VariantRecord) -> Path:
    """Return the folder to which the paths of a variant's files are relative."""
    home = registry.store / variant.digest
    if not variant.path.is_relative_to(home):
        raise StudioError(
            f"{variant.model_name} {variant.name} lies outside the registry, in {variant.path}.",
            hint="Models of more than 2 GB are used where they are, and cannot be exported.",
        )
    return home if variant.path.parent == home else variant.path.parent


def _variant(
    registry: Registry, variant: VariantRecord, place: Path, positions: Mapping[int, int]
) -> ArchivedVariant:
    noted = registry.ledger.producer(variant)
    return ArchivedVariant(
        name=variant.name,
        digest=variant.digest,
        main=variant.path.relative_to(place).as_posix(),
        folder=place != registry.store / variant.digest,
        format=variant.format,
        precision=variant.precision,
        parent=positions.get(variant.parent) if variant.parent is not None else None,
        step=variant.step,
        created=variant.created,
        options=variant.options,
        quantize=variant.summary.get("quantize"),
        inputs=noted.inputs if noted else {},
        files=(),
    )


def _variant_files(registry: Registry, variant: VariantRecord, place: Path) -> PlannedFiles:
    registry.fetch(variant.path)
    if place == registry.store / variant.digest:
        return PlannedFiles(str(place), (variant.path.relative_to(place).as_posix(),))
    return _files(place)


def _files(place: Path) -> PlannedFiles:
    files = sorted(path for path in place.rglob("*") if path.is_file())
    return PlannedFiles(str(place), tuple(path.relative_to(place).as_posix() for path in files))


def _version(version: VersionRecord, positions: Mapping[int, int]) -> ArchivedVersion:
    return ArchivedVersion(
        number=version.number,
        variant=positions[version.variant],
        digest=version.digest,
        counter=version.counter,
        created=version.created,
        files=(),
    )


def _move(move: MoveRecord, numbers: Mapping[int, int]) -> ArchivedMove:
    return ArchivedMove(
        alias=move.alias,
        at=move.created,
        by=move.by,
        evidence=move.evidence,
        to=numbers.get(move.version or 0),
        why=move.why,
    )
