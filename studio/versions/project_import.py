"""Import of a project: an archive is verified, its models opened, its versions taken in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.api import InvalidData, Refused
from studio.documents.dataclass_json import to_json
from studio.jobs import Arguments, Job, Result
from studio.models.opening import GRAPH_FILE, look, write_graph
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
from studio.registry.activity import moment_elsewhere
from studio.runtime.shared.files import plain_name
from studio.versions.project_archive import ArchiveReader

_TEXTS = ("name", "digest", "main", "format", "precision", "step")
_MADE = "imported"

Json = Mapping[str, Any]


def unpack(arguments: Arguments, job: Job) -> Result:
    """Verify an archive and lay its models out below ``job.folder``; a worker's work, behind walls.

    Raises:
        InvalidData: when it is no archive of a project.
        Refused: when something in it is not what it says.
    """
    reader = ArchiveReader(Path(arguments["archive"]))
    try:
        models = _models(reader.listing())
        rows = [row for m in models for row in (*m["variants"], *m["versions"])]
        foreign = reader.unused(file[1] for row in rows for file in row["files"])
        if foreign:
            raise Refused(f"The archive has the entry {foreign[0][:24]}, which nothing speaks of.")
        for number, model in enumerate(models):
            folder = job.folder / _MADE / str(number)
            job.progress(number, len(models), f"Reading {model['name']}")
            for position, variant in enumerate(model["variants"]):
                _lay_out(reader, variant, folder / f"variant-{position}", job)
            for version in model["versions"]:
                _lay_out_bundle(reader, version, folder / f"version-{version['number']}", job)
    finally:
        reader.close()
    return {"models": models}


def imported(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Take in what is not here yet; a name that is taken by something else gets a number."""
    done = []
    for number, model in enumerate(result["models"]):
        done.append(_Import(registry, model, folder / _MADE / str(number)).run())
    return {"models": done}


class _Import:
    """The taking in of one model: its files first, then all rows or none."""

    def __init__(self, registry: Registry, model: Json, folder: Path) -> None:
        self._registry, self._model, self._folder = registry, model, folder
        self._new = {"variants": 0, "versions": 0}
        self._adopted: dict[str, Artifact] = {}

    def run(self) -> Result:
        component(self._model["name"], "A model")
        for position, row in enumerate(self._variants()):
            if self._known(row["digest"]) is None:
                self._adopt(row, self._folder / f"variant-{position}")
        # A bundle that was collected, or is lost, comes back to its place.
        kept = (one for one in self._registry.versions() if one.path.is_dir())
        here = {version.digest for version in kept}
        for row in self._model["versions"]:
            if row["digest"] not in here:
                self._adopt_bundle(row)
        with self._registry.quiet():
            return self._recorded()

    def _recorded(self) -> Result:
        name = self._free_name()
        number = self._registry.add_model(name)
        variants = [
            self._variant(number, row, position) for position, row in enumerate(self._variants())
        ]
        for row in self._model["versions"]:
            self._version(number, variants, row)
        self._aliases(number)
        return {"name": name, "asked": self._model["name"], **self._new}

    def _variants(self) -> list[Json]:
        return list(self._model["variants"])

    def _free_name(self) -> str:
        """The model's name, where its versions do not contradict those that are here."""
        names = {model.name: model.id for model in self._registry.models()}
        wanted = self._model["name"]
        candidate, number = wanted, 1
        while candidate in names and not self._fits(names[candidate]):
            number += 1
            candidate = f"{wanted}-{number}"
        return str(candidate)

    def _fits(self, model: int) -> bool:
        here = {one.number: one.digest for one in self._registry.versions(model)}
        mine = {row["number"]: row["digest"] for row in self._model["versions"]}
        variants = {one.digest for one in self._registry.variants(model)}
        same = all(here.get(number, digest) == digest for number, digest in mine.items())
        return same and bool(variants & {row["digest"] for row in self._model["variants"]})

    def _known(self, digest: str, model: int | None = None) -> VariantRecord | None:
        known = self._registry.variant_by_digest(digest, model)
        return known if known is not None and known.path.exists() else None

    def _variant(self, model: int, row: Json, position: int) -> VariantRecord:
        known = self._known(row["digest"], model)
        if known is not None:
            return known
        parent = None
        if row["parent"] is not None:
            source = self._variants()[row["parent"]]
            found = self._registry.variant_by_digest(source["digest"], model)
            parent = found.id if found else None
        graph = self._folder / f"variant-{position}-graph" / GRAPH_FILE
        variant = self._registry.add_variant(
            model,
            row["name"],
            self._artifact(row),
            format=row["format"],
            precision=row["precision"],
            parent=parent,
            step=row["step"],
            options=row["options"],
            summary=row["summary"],
            graph=self._registry.adopt(graph) if graph.is_file() else None,
            created=row["created"],
        )
        note = {"variant": variant.id, "inputs": row["inputs"]}
        self._registry.ledger.add_action(row["step"], row["options"], note, "import")
        self._new["variants"] += 1
        return variant

    def _artifact(self, row: Json) -> Artifact:
        """The variant's file: just taken into the store, or there already for another model."""
        known = self._known(row["digest"])
        if row["digest"] in self._adopted or known is None:
            return self._adopted[row["digest"]]
        return Artifact(known.digest, known.path, known.size)

    def _adopt(self, row: Json, folder: Path) -> None:
        if not row["folder"]:
            artifact = self._registry.adopt(below(folder, row["main"]))
        else:
            whole = self._registry.adopt(folder, "model")
            artifact = Artifact(whole.digest, below(whole.path, row["main"]), whole.size)
        self._adopted[row["digest"]] = artifact

    def _adopt_bundle(self, row: Json) -> None:
        bundle = self._folder / f"version-{row['number']}"
        name = component_of(f"{self._model['name']}-{row['number']}")
        self._adopted[row["digest"]] = self._registry.adopt(bundle, name)

    def _version(self, model: int, variants: list[VariantRecord], row: Json) -> None:
        if any(one.digest == row["digest"] for one in self._registry.versions()):
            return
        self._registry.add_version(
            model,
            variants[row["variant"]].id,
            self._adopted[row["digest"]],
            row["digest"],
            counters.foreign(row["counter"]),
            number=row["number"],
            created=row["created"],
        )
        self._new["versions"] += 1

    def _aliases(self, model: int) -> None:
        """Aliases that stand for nothing here yet; those of before are left as they are."""
        here = {one.name for one in self._registry.ledger.aliases(model)}
        digests = {row["number"]: row["digest"] for row in self._model["versions"]}
        for alias, number in self._model["aliases"].items():
            digest = digests.get(number)
            found = next((v for v in self._registry.versions(model) if v.digest == digest), None)
            if alias not in here and found is not None:
                moves = [m for m in self._model["moves"] if m["alias"] == alias]
                evidence = {"imported": moves[-1]} if moves else {}
                self._registry.ledger.move_alias(
                    model, alias, found.id, why="imported", evidence=evidence, by="import"
                )


# The archive's rows


def _models(document: Json) -> list[dict[str, Any]]:
    try:
        return [_model(row) for row in _list(document["models"])]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InvalidData(
            "The listing of the archive is not well formed.", detail=str(error)
        ) from None


def _model(row: Json) -> dict[str, Any]:
    variants = [_checked(one) for one in _list(row["variants"])]
    for position, one in enumerate(variants):
        if one["parent"] is not None and not 0 <= int(one["parent"]) < position:
            raise ValueError("a variant comes before what it was made from")
    versions = [_checked_version(one, len(variants)) for one in _list(row["versions"])]
    return {
        "name": component(_text(row["name"]), "A model"),
        "variants": variants,
        "versions": versions,
        "aliases": {_text(k): int(v) for k, v in dict(row["aliases"]).items()},
        "moves": [dict(move) for move in _list(row["moves"])],
    }


def _checked(row: Json) -> dict[str, Any]:
    found: dict[str, Any] = {key: _text(row[key]) for key in _TEXTS}
    found.update(
        folder=bool(row["folder"]),
        parent=None if row["parent"] is None else int(row["parent"]),
        options=dict(row["options"]),
        quantize=dict(row["quantize"]) if row.get("quantize") else None,
        created=moment_elsewhere(row.get("created")),
        inputs={str(k): str(v) for k, v in dict(row["inputs"]).items()},
        files=list(_files(row["files"])),
    )
    if found["main"] not in [name for name, *_ in found["files"]]:
        raise ValueError("a variant lacks its main file")
    return found


def _checked_version(row: Json, variants: int) -> dict[str, Any]:
    number, variant = int(row["number"]), int(row["variant"])
    if not (number > 0 and 0 <= variant < variants):
        raise ValueError("a version of no variant")
    return {
        "number": number,
        "variant": variant,
        "digest": _text(row["digest"]),
        "counter": counters.foreign(int(row["counter"])),
        "created": moment_elsewhere(row.get("created")),
        "files": list(_files(row["files"])),
    }


def _files(rows: Any) -> Iterator[tuple[str, str, int]]:
    for name, digest, size in _list(rows):
        if not plain_name(_text(name)):
            raise Refused(
                f"The archive names a file {name[:80]!r}, which is not one below a folder."
            )
        yield name, _text(digest), int(size)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 4096 or "\0" in value:
        raise TypeError("a text was expected")
    return value


# The files


def _lay_out(reader: ArchiveReader, row: dict[str, Any], folder: Path, job: Job) -> None:
    for name, digest, size in row["files"]:
        reader.extract(digest, size, folder / name, job)
    main = folder / row["main"]
    found = folder_digest(folder) if row["folder"] else file_digest(main)
    if found != row["digest"]:
        raise Refused(f"The variant {row['name']} in the archive is not what its digest says.")
    opened = look(main, job)  # refuses what the intake refuses; its figures are made anew
    made = row.pop("quantize")
    row["summary"] = {**to_json(opened.figures()), **({"quantize": made} if made else {})}
    graph = folder.with_name(f"{folder.name}-graph")
    graph.mkdir()
    write_graph(opened, graph, job)


def _lay_out_bundle(reader: ArchiveReader, row: dict[str, Any], folder: Path, job: Job) -> None:
    for name, digest, size in row["files"]:
        reader.extract(digest, size, folder / name, job)
    bundle = Bundle.open(folder)
    # Archives of before have no date of the row; the manifest has that of the packaging.
    row["created"] = row["created"] or moment_elsewhere(bundle.raw.get("created"))
    listed = (row["digest"], row["number"], row["counter"])
    if (bundle.digest, bundle.version, bundle.counter) != listed:
        raise Refused(f"Version {row['number']} in the archive is not what its digest says.")
