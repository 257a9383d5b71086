"""Export of a project: models with variants, versions, aliases and evidence, in one archive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import studio
from studio.api import StudioError, UsageError
from studio.jobs import Arguments, Job, Result
from studio.registry import ModelRecord, MoveRecord, Registry, VariantRecord, VersionRecord
from studio.registry.copies import Copy
from studio.versions.project_archive import FORMAT, ArchiveWriter
from studio.versions.versions import model_named

_FILE = "project.zip"

Json = dict[str, Any]


def prepare(registry: Registry, arguments: Arguments) -> Json:
    """Add what is to be exported: rows, and where their files lie.

    Raises:
        UsageError: when there is no such model, or nothing at all.
    """
    names = arguments.get("model") or [model.name for model in registry.models()]
    wanted = {model_named(registry, name) for name in names}
    models = [m for m in sorted(registry.models(), key=lambda m: m.name) if m.id in wanted]
    if not models:
        raise UsageError("There is no model to export.", hint="Open one first.")
    return {**arguments, "models": [_model(registry, model) for model in models]}


def export(arguments: Arguments, job: Job) -> Result:
    """Write the archive below ``job.folder``."""
    writer = ArchiveWriter(job.folder / _FILE)
    models = arguments["models"]
    total = sum(len(m["variants"]) + len(m["versions"]) for m in models)
    done = 0
    for model in models:
        for row in (*model["variants"], *model["versions"]):
            job.progress(done, total, f"Adding {model['name']}")
            place = Path(row.pop("place"))
            row["files"] = [[name, *writer.add(place / name)] for name in row["files"]]
            done += 1
    writer.finish({"format": FORMAT, "edgewright": studio.__version__, "models": models})
    return {
        "models": [model["name"] for model in models],
        "variants": sum(len(model["variants"]) for model in models),
        "versions": sum(len(model["versions"]) for model in models),
        "bytes": (job.folder / _FILE).stat().st_size,
    }


def exported(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Put the archive where the user wants it."""
    copy = Copy.begin(folder / _FILE, arguments["out"])
    assert copy is not None
    return {**result, "output": str(copy.finish())}


def _model(registry: Registry, model: ModelRecord) -> Json:
    variants = registry.variants(model.id)
    positions = {variant.id: number for number, variant in enumerate(variants)}
    versions = [one for one in reversed(registry.versions(model.id)) if one.path.is_dir()]
    numbers = {one.id: one.number for one in versions}
    ledger = registry.ledger
    return {
        "name": model.name,
        "variants": [_variant(registry, one, positions) for one in variants],
        "versions": [_version(one, positions) for one in versions],
        "aliases": {
            one.name: numbers[one.version]
            for one in ledger.aliases(model.id)
            if one.version in numbers
        },
        "moves": [_move(one, numbers) for one in reversed(ledger.moves(model.id))],
    }


def _variant(registry: Registry, variant: VariantRecord, positions: Mapping[int, int]) -> Json:
    home = registry.store / variant.digest
    if not variant.path.is_relative_to(home):
        raise StudioError(
            f"{variant.model_name} {variant.name} lies outside the registry, in {variant.path}.",
            hint="Models of more than 2 GB are used where they are, and cannot be exported.",
        )
    noted = registry.ledger.producer(variant)
    place = home if variant.path.parent == home else variant.path.parent
    files = [variant.path] if place == home else sorted(p for p in place.rglob("*") if p.is_file())
    return {
        "name": variant.name,
        "digest": variant.digest,
        "main": variant.path.relative_to(place).as_posix(),
        "folder": place != home,
        "format": variant.format,
        "precision": variant.precision,
        "parent": positions.get(variant.parent) if variant.parent is not None else None,
        "step": variant.step,
        "created": variant.created,
        "options": dict(variant.options),
        "quantize": variant.summary.get("quantize"),
        "inputs": dict((noted.result.get("inputs") or {}) if noted else {}),
        "place": str(place),
        "files": [path.relative_to(place).as_posix() for path in files],
    }


def _version(version: VersionRecord, positions: Mapping[int, int]) -> Json:
    files = sorted(path for path in version.path.rglob("*") if path.is_file())
    return {
        "number": version.number,
        "variant": positions[version.variant],
        "digest": version.digest,
        "counter": version.counter,
        "created": version.created,
        "place": str(version.path),
        "files": [path.relative_to(version.path).as_posix() for path in files],
    }


def _move(move: MoveRecord, numbers: Mapping[int, int]) -> Json:
    return {
        "alias": move.alias,
        "to": numbers.get(move.version or 0),
        "why": move.why,
        "evidence": dict(move.evidence),
        "by": move.by,
        "at": move.created,
    }
