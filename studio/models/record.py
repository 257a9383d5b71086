"""The rows that the steps of this stage add to the registry."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from studio.api import StudioError
from studio.documents.dataclass_json import to_json
from studio.models.kinds import entry_file
from studio.models.results import GRAPH_FILE, GraphResult, OpenResult
from studio.models.step import GraphOptions, OpenOptions
from studio.registry import Artifact, Registry, VariantRecord, below, component
from studio.settings import full_path

NOT_FIGURES = ("source", "name", "digest_in_place")
"""Fields of an ``OpenResult`` that a variant's summary leaves out."""


def opened(
    registry: Registry, options: OpenOptions, result: OpenResult, folder: Path
) -> OpenResult:
    """Adopt the model and its graph as a variant; return a known variant unchanged."""
    # Not the path that the worker reports: its result is untrusted.
    given = replace(result, source=str(entry_file(options.model)))
    known = keep_opened(registry, given, folder, "open", {"model": given.source})
    registry.opened_again(known, options.model)
    return replace(
        result,
        digest_in_place="",
        model=known.model,
        name=known.model_name,
        variant=known.id,
        variant_name=known.name,
    )


def keep_opened(
    registry: Registry, result: OpenResult, folder: Path, step: str, options: Mapping[str, object]
) -> VariantRecord:
    """Return the variant of a model that was opened into a folder, new or known.

    Args:
        step, options: What brought it here.
    """
    component(result.name, "A model")
    artifact = _adopt(registry, result, folder)
    known = registry.variant_by_digest(artifact.digest)
    if known is not None and known.path.exists():
        return known
    return registry.add_variant(
        registry.add_model(result.name),
        result.precision,
        artifact,
        format=result.format,
        precision=result.precision,
        parent=None,
        step=step,
        options=options,
        summary={k: v for k, v in to_json(result).items() if k not in NOT_FIGURES},
        graph=registry.adopt(folder / GRAPH_FILE),
    )


def _adopt(registry: Registry, result: OpenResult, folder: Path) -> Artifact:
    """Return the model in the store; its path is the file to load, next to its data."""
    source = Path(result.source)
    if not result.copied:
        return Artifact(result.digest_in_place, source, result.bytes)
    copied = folder / "model"
    files = [file for file in copied.rglob("*") if file.is_file()]
    if len(files) == 1:
        return registry.adopt(files[0])
    artifact = registry.adopt(copied)
    return Artifact(artifact.digest, artifact.path / source.name, artifact.size)


def drawn(
    registry: Registry, options: GraphOptions, result: GraphResult, folder: Path
) -> GraphResult:
    """Copy the drawing to where the user wants it."""
    output = full_path(options.out)
    try:
        shutil.copyfile(below(folder, result.output), output)
    except OSError as error:
        raise StudioError(f"{output} could not be written: {error.strerror}.") from None
    return replace(result, output=str(output))
