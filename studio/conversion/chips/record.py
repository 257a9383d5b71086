"""The record of a check, and the copy of what runs on the device."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.api import TargetFacts, UsageError
from studio.conversion.chips.results import ARTEFACT, ChipResult
from studio.conversion.chips.step import CheckOptions
from studio.documents.dataclass_json import from_json, to_json
from studio.registry import Registry, below
from studio.registry.copies import Copy

STEP = "check"


def with_chip(registry: Registry, options: CheckOptions) -> CheckOptions:
    """Replace the name of a target by the type of its board.

    Raises:
        UsageError: when the target was not probed, or its board is of no known type; when the
            comparison would be with this computer.
    """
    if options.target is not None and options.target.url.startswith("local:"):
        raise UsageError(
            "The outputs are compared with those of this computer in any case.",
            hint="Name a board: studio target list",
        )
    return replace(options, chip=board_or_chip(registry, options.chip))


def board_or_chip(registry: Registry, name: str) -> str:
    """Return the type of a target's board; another name as it is.

    Raises:
        UsageError: when the target was not probed, or its board is of no known type.
    """
    if name not in {one.name for one in registry.targets()}:
        return name
    facts = registry.facts(name)
    if not facts:
        raise UsageError(
            f"{name} was not probed yet.",
            hint=f"Probe it first: studio target probe {name}",
        )
    board = from_json(TargetFacts, facts).board_id
    if not board:
        raise UsageError(
            f"The board of {name} is of no known type.",
            hint="Name the chip; studio chips lists all.",
        )
    return board


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
