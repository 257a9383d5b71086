"""The import of a project from an archive: files are verified, models opened, rows added."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from studio.api import Refused
from studio.documents.dataclass_json import JsonValue, to_json
from studio.jobs import Job
from studio.models.layout.graph_writer import write_graph
from studio.models.opening import read_model
from studio.models.results import GRAPH_FILE
from studio.packages import Bundle
from studio.registry import (
    Artifact,
    Registry,
    VariantRecord,
    below,
    component,
    component_of,
    counters,
    file_digest,
    folder_digest,
)
from studio.registry.activity import external_time
from studio.versions.project_archive import ArchiveReader
from studio.versions.project_listing import (
    ArchivedModel,
    ArchivedVariant,
    ArchivedVersion,
    ProjectListing,
    UnpackedModel,
    UnpackedProject,
)
from studio.versions.results import ImportedModel, ImportResult
from studio.versions.step import ImportOptions

_MADE = "imported"


def unpack(options: ImportOptions, job: Job) -> UnpackedProject:
    """Verify an archive and extract its models below ``job.folder``, as a sandboxed work.

    Raises:
        InvalidData: when the file is no archive of a project.
        Refused: when a file does not match its digest.
    """
    with closing(ArchiveReader(options.archive)) as reader:
        models = ProjectListing.read(reader.listing()).models
        rows = [row for model in models for row in model.rows]
        foreign = reader.unused(digest for row in rows for _name, digest, _size in row.files)
        if foreign:
            raise Refused(f"The archive has the entry {foreign[0][:24]}, which nothing speaks of.")
        unpacked = []
        for number, model in enumerate(models):
            job.progress(number, len(models), f"Reading {model.name}")
            unpacked.append(_lay_out(reader, model, job.folder / _MADE / str(number), job))
    return UnpackedProject(tuple(unpacked))


def add_models(
    registry: Registry, options: ImportOptions, result: UnpackedProject, folder: Path
) -> ImportResult:
    """Add missing models; a name that another model has gets a number."""
    return ImportResult(
        tuple(
            _Import(registry, unpacked, folder / _MADE / str(number)).run()
            for number, unpacked in enumerate(result.models)
        )
    )


class _Import:
    """The import of one model: its files first, then all its rows or none."""

    def __init__(self, registry: Registry, unpacked: UnpackedModel, folder: Path) -> None:
        self._registry, self._folder = registry, folder
        self._model, self._summaries = unpacked.model, unpacked.summaries
        self._new_variants = self._new_versions = 0
        self._adopted: dict[str, Artifact] = {}

    def run(self) -> ImportedModel:
        component(self._model.name, "A model")
        for position, row in enumerate(self._model.variants):
            if self._known(row.digest) is None:
                self._adopt(row, self._folder / f"variant-{position}")
        # The archive may restore a bundle that was collected or lost.
        kept = (one for one in self._registry.versions() if one.path.is_dir())
        here = {version.digest for version in kept}
        for version in self._model.versions:
            if version.digest not in here:
                self._adopt_bundle(version)
        with self._registry.quiet():
            return self._recorded()

    def _recorded(self) -> ImportedModel:
        name = self._free_name()
        number = self._registry.add_model(name)
        variants = [
            self._variant(number, row, position)
            for position, row in enumerate(self._model.variants)
        ]
        for row in self._model.versions:
            self._version(number, variants, row)
        self._aliases(number)
        return ImportedModel(name, self._model.name, self._new_variants, self._new_versions)

    def _free_name(self) -> str:
        """Return the model's name if its versions agree with the local ones, else a free name."""
        names = {model.name: model.id for model in self._registry.models()}
        candidate, number = self._model.name, 1
        while candidate in names and not self._fits(names[candidate]):
            number += 1
            candidate = f"{self._model.name}-{number}"
        return candidate

    def _fits(self, model: int) -> bool:
        here = {one.number: one.digest for one in self._registry.versions(model)}
        variants = {one.digest for one in self._registry.variants(model)}
        same = all(here.get(row.number, row.digest) == row.digest for row in self._model.versions)
        return same and bool(variants & {row.digest for row in self._model.variants})

    def _known(self, digest: str, model: int | None = None) -> VariantRecord | None:
        known = self._registry.variant_by_digest(digest, model)
        return known if known is not None and known.path.exists() else None

    def _variant(self, model: int, row: ArchivedVariant, position: int) -> VariantRecord:
        known = self._known(row.digest, model)
        if known is not None:
            return known
        parent = None
        if row.parent is not None:
            source = self._model.variants[row.parent]
            found = self._registry.variant_by_digest(source.digest, model)
            parent = found.id if found else None
        graph = self._folder / f"variant-{position}-graph" / GRAPH_FILE
        variant = self._registry.add_variant(
            model,
            row.name,
            self._artifact(row),
            format=row.format,
            precision=row.precision,
            parent=parent,
            step=row.step,
            options=row.options,
            summary=self._summaries[position],
            graph=self._registry.adopt(graph) if graph.is_file() else None,
            created=row.created,
        )
        note = {"variant": variant.id, "inputs": row.inputs}
        self._registry.ledger.add_action(row.step, row.options, note, "import")
        self._new_variants += 1
        return variant

    def _artifact(self, row: ArchivedVariant) -> Artifact:
        """Return the variant's file: newly adopted, or already in the store for another model."""
        known = self._known(row.digest)
        if row.digest in self._adopted or known is None:
            return self._adopted[row.digest]
        return Artifact(known.digest, known.path, known.size)

    def _adopt(self, row: ArchivedVariant, folder: Path) -> None:
        if not row.folder:
            artifact = self._registry.adopt(below(folder, row.main))
        else:
            whole = self._registry.adopt(folder, "model")
            artifact = Artifact(whole.digest, below(whole.path, row.main), whole.size)
        self._adopted[row.digest] = artifact

    def _adopt_bundle(self, row: ArchivedVersion) -> None:
        bundle = self._folder / f"version-{row.number}"
        name = component_of(f"{self._model.name}-{row.number}")
        self._adopted[row.digest] = self._registry.adopt(bundle, name)

    def _version(self, model: int, variants: list[VariantRecord], row: ArchivedVersion) -> None:
        if any(one.digest == row.digest for one in self._registry.versions()):
            return
        self._registry.add_version(
            model,
            variants[row.variant].id,
            self._adopted[row.digest],
            row.digest,
            counters.foreign(row.counter),
            number=row.number,
            created=row.created,
        )
        self._new_versions += 1

    def _aliases(self, model: int) -> None:
        """Add the aliases that do not exist yet; existing ones are unchanged."""
        here = {one.name for one in self._registry.ledger.aliases(model)}
        digests = {row.number: row.digest for row in self._model.versions}
        for alias, number in self._model.aliases.items():
            digest = digests.get(number)
            found = next((v for v in self._registry.versions(model) if v.digest == digest), None)
            if alias not in here and found is not None:
                moves = [move for move in self._model.moves if move.alias == alias]
                evidence = {"imported": to_json(moves[-1])} if moves else {}
                self._registry.ledger.move_alias(
                    model, alias, found.id, why="imported", evidence=evidence, by="import"
                )


# The files


def _lay_out(reader: ArchiveReader, model: ArchivedModel, folder: Path, job: Job) -> UnpackedModel:
    summaries = tuple(
        _lay_out_variant(reader, row, folder / f"variant-{position}", job)
        for position, row in enumerate(model.variants)
    )
    versions = tuple(
        _lay_out_bundle(reader, row, folder / f"version-{row.number}", job)
        for row in model.versions
    )
    return UnpackedModel(replace(model, versions=versions), summaries)


def _lay_out_variant(
    reader: ArchiveReader, row: ArchivedVariant, folder: Path, job: Job
) -> Mapping[str, JsonValue]:
    """Write and verify the files of a variant; return its summary, computed from the files."""
    for name, digest, size in row.files:
        reader.extract(digest, size, folder / name, job)
    main = folder / row.main
    found = folder_digest(folder) if row.folder else file_digest(main)
    if found != row.digest:
        raise Refused(f"The variant {row.name} in the archive is not what its digest says.")
    opened = read_model(main, job)  # refuses what the intake refuses
    graph = folder.with_name(f"{folder.name}-graph")
    graph.mkdir()
    write_graph(opened, graph, job)
    return {**to_json(opened.figures()), **({"quantize": row.quantize} if row.quantize else {})}


def _lay_out_bundle(
    reader: ArchiveReader, row: ArchivedVersion, folder: Path, job: Job
) -> ArchivedVersion:
    for name, digest, size in row.files:
        reader.extract(digest, size, folder / name, job)
    bundle = Bundle.open(folder)
    listed = (row.digest, row.number, row.counter)
    if (bundle.digest, bundle.version, bundle.counter) != listed:
        raise Refused(f"Version {row.number} in the archive is not what its digest says.")
    # Earlier archives lack the date of the row; the manifest has the date of packaging.
    return replace(row, created=row.created or external_time(bundle.raw.get("created")))
