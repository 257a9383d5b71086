"""The variant that the registry keeps of an edited model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.documents.dataclass_json import to_json
from studio.models.results import GRAPH_FILE
from studio.models.surgery.results import EditedFiles, EditResult
from studio.models.surgery.step import EditOptions
from studio.models.surgery.work import FOLDER
from studio.registry import Artifact, Registry, below
from studio.registry.copies import Copy


def edited(
    registry: Registry, options: EditOptions, result: EditResult, folder: Path
) -> EditResult:
    """Add the variant with its edits as lineage, and copy it to ``out``.

    Edits that were only to be checked leave nothing behind.

    Raises:
        StudioError: when the copy cannot be written; nothing is added then.
    """
    files = result.made
    assert files is not None
    if options.check:
        return replace(result, made=None)
    parent = registry.variant(options.model.variant)
    made = below(folder / FOLDER, files.file)
    copy = Copy.begin(made, str(options.out) if options.out else None)
    asked = {"edit": list(options.edit)}
    variant = registry.add_variant(
        parent.model,
        options.name or "edited",
        _adopt(registry, made, folder / FOLDER, files),
        format=parent.format,
        precision=parent.precision,
        parent=parent.id,
        step="edit",
        options=asked,
        summary={**to_json(files.summary), "edits": to_json(result.edits)},
        graph=registry.adopt(folder / GRAPH_FILE),
    )
    output = copy.finish() if copy else variant.path
    final = replace(
        result,
        output=str(output),
        model=variant.model_name,
        variant=variant.id,
        name=variant.name,
        kept=True,
        made=None,
    )
    registry.add_run("edit", variant.id, asked, to_json(final))
    return final


def _adopt(registry: Registry, made: Path, folder: Path, files: EditedFiles) -> Artifact:
    if files.files == 1:
        return registry.adopt(made)
    artifact = registry.adopt(folder)
    return Artifact(artifact.digest, artifact.path / made.relative_to(folder), artifact.size)
