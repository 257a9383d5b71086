"""The record of the step ``project-outputs``: a file next to the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.api import StudioError, UsageError
from studio.datasets.output_settings import FILE
from studio.evaluation.outputs_step import OutputsOptions
from studio.evaluation.results import OutputsResult
from studio.registry import Registry
from studio.settings import write_atomically


def keep(
    registry: Registry, options: OutputsOptions, result: OutputsResult, folder: Path
) -> OutputsResult:
    """Write the file, over another one only where that is wanted.

    Raises:
        UsageError: when the model's folder is gone, or has such a file already.
        StudioError: when nothing can be written there.
    """
    if options.dry_run:
        return result
    variant = registry.variant(options.model.variant)
    source = registry.original(variant).source_file
    if source is None or not source.parent.is_dir():
        raise UsageError(f"The folder of {variant.model_name} is gone.", hint="Open it again.")
    path = source.parent / FILE
    if path.is_symlink():
        raise UsageError(f"{path} is a link, which is not replaced.", hint="Remove it first.")
    if path.exists() and not options.replace:
        raise UsageError(f"{path} exists already.", hint="Replace it: --replace.")
    try:
        write_atomically(path, result.text.encode())
    except OSError as error:
        raise StudioError(f"{path} cannot be written: {error.strerror or error}.") from None
    return replace(result, path=str(path))
