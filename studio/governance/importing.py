"""Import of a project: an archive is verified, its models opened, its versions taken in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.api import InvalidData, Refused
from studio.governance.archive import ArchiveReader
from studio.jobs import Arguments, Job, Result
from studio.models.opening import GRAPH_FILE, look, write_graph
from studio.packages import Bundle
from studio.registry import Artifact, Registry, VariantRecord, file_digest, folder_digest
from studio.runtime.release.files import plain_name

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
    """The taking in of one model."""

    def __init__(self, registry: Registry, model: Json, folder: Path) -> None:
        self._registry, self._model, self._folder = registry, model, folder
        self._new = {"variants": 0, "versions": 0}

    def run(self) -> Result:
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

    def _variant(self, model: int, row: Json, position: int) -> VariantRecord:
        known = self._registry.variant_by_digest(row["digest"], model)
        if known is not None and known.path.exists():
            return known
        parent = None
        if row["parent"] is not None:
            source = self._variants()[row["parent"]]
            found = self._registry.variant_by_digest(source["digest"], model)
            parent = found.id if found else None
        artifact = self._adopted(row, self._folder / f"variant-{position}")
        graph = self._folder / f"variant-{position}-graph" / GRAPH_FILE
        variant = self._registry.add_variant(
            model,
            row["name"],
            artifact,
            format=row["format"],
            precision=row["precision"],
            parent=parent,
            step=row["step"],
            options=row["options"],
            summary=row["summary"],
            graph=self._registry.adopt(graph) if graph.is_file() else None,
        )
        note = {"variant": variant.id, "inputs": row["inputs"]}
        self._registry.ledger.add_action(row["step"], row["options"], note, "import")
        self._new["variants"] += 1
        return variant

    def _adopted(self, row: Json, folder: Path) -> Artifact:
        if not row["folder"]:
            return self._registry.adopt(folder / row["main"])
        artifact = self._registry.adopt(folder, "model")
        return Artifact(artifact.digest, artifact.path / row["main"], artifact.size)

    def _version(self, model: int, variants: list[VariantRecord], row: Json) -> None:
        if any(one.digest == row["digest"] for one in self._registry.versions(model)):
            return
        bundle = self._folder / f"version-{row['number']}"
        artifact = self._registry.adopt(bundle, f"{self._model['name']}-{row['number']}")
        self._registry.add_version(
            model, variants[row["variant"]].id, artifact, row["digest"], row["counter"]
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
        "name": _text(row["name"]),
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
        "counter": int(row["counter"]),
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
    row["summary"] = {**opened.figures(), **({"quantize": made} if made else {})}
    graph = folder.with_name(f"{folder.name}-graph")
    graph.mkdir()
    write_graph(opened, graph, job)


def _lay_out_bundle(reader: ArchiveReader, row: Json, folder: Path, job: Job) -> None:
    for name, digest, size in row["files"]:
        reader.extract(digest, size, folder / name, job)
    bundle = Bundle.open(folder)
    if (bundle.digest, bundle.version) != (row["digest"], row["number"]):
        raise Refused(f"Version {row['number']} in the archive is not what its digest says.")
