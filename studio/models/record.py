"""The rows that the steps of this stage add to the registry."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import StudioError
from studio.jobs.step import Arguments, Result
from studio.models.opening import GRAPH_FILE
from studio.registry import Artifact, Registry, VariantRecord, below, component

_NOT_FIGURES = frozenset({"source", "name", "digest_in_place"})


def opened(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Adopt the model and its graph as a variant; a model that is known gives the known one."""
    given = {**result, "source": str(arguments["model"])}  # whatever the worker says it was
    known = keep_opened(registry, given, folder, "open", {"model": given["source"]})
    return {
        **{key: value for key, value in result.items() if key != "digest_in_place"},
        "model": known.model,
        "name": known.model_name,
        "variant": known.id,
        "variant_name": known.name,
    }


def keep_opened(
    registry: Registry, result: Result, folder: Path, step: str, options: Mapping[str, Any]
) -> VariantRecord:
    """The variant of a model that was opened into a folder, new or known.

    Args:
        step, options: What brought it here.
    """
    component(result["name"], "A model")
    artifact = _adopt(registry, result, folder)
    known = registry.variant_by_digest(artifact.digest)
    if known is not None and known.path.exists():
        return known
    figures = {key: value for key, value in result.items() if key not in _NOT_FIGURES}
    return registry.add_variant(
        registry.add_model(result["name"]),
        result["precision"],
        artifact,
        format=result["format"],
        precision=result["precision"],
        parent=None,
        step=step,
        options=options,
        summary=figures,
        graph=registry.adopt(folder / GRAPH_FILE),
    )


def _adopt(registry: Registry, result: Result, folder: Path) -> Artifact:
    """The model in the store; its path is the file to load, also where data lies beside it."""
    source = Path(result["source"])
    if not result["copied"]:
        return Artifact(result["digest_in_place"], source, result["bytes"])
    copied = folder / "model"
    files = [file for file in copied.rglob("*") if file.is_file()]
    if len(files) == 1:
        return registry.adopt(files[0])
    artifact = registry.adopt(copied)
    return Artifact(artifact.digest, artifact.path / source.name, artifact.size)


def drawn(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Copy the drawing to where the user wants it."""
    output = Path(arguments["out"]).expanduser().absolute()
    try:
        shutil.copyfile(below(folder, result["output"]), output)
    except OSError as error:
        raise StudioError(f"{output} could not be written: {error.strerror}.") from None
    return {**result, "output": str(output)}
