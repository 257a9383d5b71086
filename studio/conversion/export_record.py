"""The variant that the registry keeps of an exported model, and its copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import StudioError
from studio.conversion.results import ConversionResult
from studio.conversion.step import ExportOptions
from studio.conversion.targets import TARGETS
from studio.conversion.work import FOLDER
from studio.documents.dataclass_json import to_json
from studio.models.record import NOT_FIGURES
from studio.models.results import GRAPH_FILE
from studio.registry import Artifact, Registry, VariantRecord, below
from studio.registry.copies import Copy

STEP = "export"


def exported(
    registry: Registry, options: ExportOptions, result: ConversionResult, folder: Path
) -> ConversionResult:
    """Keep the new model, as a variant where the studio opens it, and copy it to ``out``.

    Raises:
        StudioError: when the copy cannot be written; nothing is kept then.
    """
    made = below(folder / FOLDER, result.output)
    copies = _copies(made, options.out, whole=_is_folder(options.to))
    artifact = _artifact(registry, made)
    variant = _variant(registry, options, result, artifact, folder)
    asked = {"to": options.to, "precision": result.precision}
    output = _finished(copies) if copies else artifact.path
    final = replace(
        result,
        source=options.model.path,
        output=str(output),
        model=options.model.model_name,
        variant=variant.id if variant else 0,
        name=variant.name if variant else "",
        opened=None,
    )
    kept = {} if variant else {"model": artifact}
    registry.add_run(STEP, options.model.variant, asked, to_json(final), kept)
    return final


def _is_folder(target: str) -> bool:
    """Return whether a format is a folder whose files keep their names."""
    form = TARGETS[target]
    return form.is_language and not form.suffix


def _copies(made: Path, out: Path | None, *, whole: bool = False) -> list[Copy]:
    """Begin the copies: of the model, and of what lies next to it under the same name.

    Args:
        whole: The folder is copied as it is.
    """
    if out is None:
        return []
    if whole:
        copy = Copy.begin(made.parent, str(out))
        return [copy] if copy else []
    others = sorted(one for one in made.parent.glob("*") if one != made)
    targets = [out / one.name if out.is_dir() else out.with_suffix(one.suffix) for one in others]
    for target in targets:
        _check_free(target, out)
    pairs = [(made, out), *zip(others, targets, strict=True)]
    return [copy for one, target in pairs if (copy := Copy.begin(one, str(target)))]


def _check_free(target: Path, out: Path) -> None:
    """Refuse a file next to ``out`` that would be overwritten: consent is for ``out`` alone.

    Raises:
        StudioError: before anything is written.
    """
    if target == out:
        raise StudioError(
            f"{out.name} is the name of the file with the weights.",
            hint="Pass a path with another suffix.",
        )
    if target.is_symlink() or (target.exists() and not out.is_file()):
        raise StudioError(f"{target} exists already.", hint="Move it, or pass another path.")


def _finished(copies: Sequence[Copy]) -> Path:
    paths = [copy.finish() for copy in copies]
    return paths[0]


def _artifact(registry: Registry, made: Path) -> Artifact:
    if len(list(made.parent.iterdir())) == 1:
        return registry.adopt(made)
    artifact = registry.adopt(made.parent)
    return Artifact(artifact.digest, artifact.path / made.name, artifact.size)


def _variant(
    registry: Registry,
    options: ExportOptions,
    result: ConversionResult,
    artifact: Artifact,
    folder: Path,
) -> VariantRecord | None:
    if result.opened is None:
        return None
    known = registry.variant_by_digest(artifact.digest)
    if known is not None and known.path.exists():
        return known
    parent = registry.variant(options.model.variant)
    form = TARGETS[options.to]
    usual = form.id if result.precision == form.precisions[0] else f"{form.id}-{result.precision}"
    return registry.add_variant(
        parent.model,
        options.name or usual,
        artifact,
        format=result.opened.format,
        precision=result.opened.precision,
        parent=parent.id,
        step=STEP,
        options={"to": options.to, "precision": result.precision},
        summary={k: v for k, v in to_json(result.opened).items() if k not in NOT_FIGURES},
        graph=registry.adopt(folder / GRAPH_FILE),
    )
