"""The variant that the registry keeps of an edited model."""

from __future__ import annotations

from pathlib import Path

from studio.jobs.step import Arguments, Result
from studio.models.opening import GRAPH_FILE
from studio.models.surgery.work import FOLDER
from studio.registry import Artifact, ModelRef, Registry, below
from studio.registry.copies import Copy


def edited(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Add the variant with its edits as lineage, and copy it to ``out``.

    Edits that were only to be checked leave nothing behind.

    Raises:
        StudioError: when the copy cannot be written; nothing is added then.
    """
    if arguments.get("check"):
        nodes = result["summary"]["nodes"]
        return {"nodes": nodes, "edits": result["edits"], "bytes": result["bytes"], "kept": False}
    reference = ModelRef.from_json(arguments["model"])
    parent = registry.variant(reference.variant)
    made = below(folder / FOLDER, result["file"])
    copy = Copy.begin(made, arguments.get("out"))
    variant = registry.add_variant(
        parent.model,
        arguments.get("name") or "edited",
        _adopt(registry, made, folder / FOLDER, result),
        format=parent.format,
        precision=parent.precision,
        parent=parent.id,
        step="edit",
        options={"edit": list(arguments["edit"])},
        summary={**result["summary"], "edits": result["edits"]},
        graph=registry.adopt(folder / GRAPH_FILE),
    )
    output = copy.finish() if copy else variant.path
    final = {
        "output": str(output),
        "model": variant.model_name,
        "variant": variant.id,
        "name": variant.name,
        "nodes": result["summary"]["nodes"],
        "edits": result["edits"],
        "bytes": result["bytes"],
        "kept": True,
    }
    registry.add_run("edit", variant.id, {"edit": list(arguments["edit"])}, final)
    return final


def _adopt(registry: Registry, made: Path, folder: Path, result: Result) -> Artifact:
    if result["files"] == 1:
        return registry.adopt(made)
    artifact = registry.adopt(folder)
    return Artifact(artifact.digest, artifact.path / made.relative_to(folder), artifact.size)
