"""The record of a check, and the copy of what runs on the device."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.conversion.chips.results import ChipResult
from studio.conversion.chips.step import CheckOptions
from studio.conversion.chips.work import ARTEFACT
from studio.documents.dataclass_json import to_json
from studio.registry import Registry, below
from studio.registry.copies import Copy

STEP = "check"


def checked(
    registry: Registry, options: CheckOptions, result: ChipResult, folder: Path
) -> ChipResult:
    """Keep the artefact with the run, and copy it to ``out``.

    Raises:
        StudioError: when the copy cannot be written; nothing is kept then.
    """
    kept = {}
    final = result
    if result.artefact:
        made = below(folder / ARTEFACT, result.artefact)
        copy = Copy.begin(made, str(options.out) if options.out else None)
        artifact = registry.adopt(made)
        kept = {"artefact": artifact}
        final = replace(result, artefact=str(copy.finish() if copy else artifact.path))
    registry.add_run(STEP, options.model.variant, {"for": options.chip}, to_json(final), kept)
    return final
