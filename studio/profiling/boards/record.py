"""Registry records of a study: the profile of each board, then the table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.documents.dataclass_json import to_json
from studio.profiling.boards.choice import check_boards
from studio.profiling.boards.results import StudyResult, StudyRow
from studio.profiling.boards.saved_study import SavedStudy, place_of
from studio.profiling.boards.step import StudyOptions
from studio.profiling.history import STEP
from studio.profiling.step import BenchSettings, ProfiledVariants
from studio.registry import Registry

_OF_PROFILES = (ProfiledVariants, BenchSettings)


def prepare(registry: Registry, options: StudyOptions) -> StudyOptions:
    """Refuse impossible boards before a worker starts.

    Raises:
        UsageError: when no board is named, or one twice.
    """
    check_boards(options.target or ())
    return options


def studied(
    registry: Registry, options: StudyOptions, result: StudyResult, folder: Path
) -> StudyResult:
    """Record each new profile under the baseline's variant; returns the result with numbers."""
    saved = SavedStudy(place_of(registry.folder.parent) / result.study)
    rows = tuple(_recorded(registry, options, row, saved) for row in result.boards)
    final = replace(result, boards=rows)
    given = {**_given(options), "targets": [row.target for row in rows]}
    # The profiles are in the registry already, each with its number.
    table = replace(final, boards=tuple(replace(row, profile=None) for row in rows))
    run = registry.add_run("study", options.model[0].variant, given, to_json(table), {})
    return replace(final, run=run.id)


def _recorded(
    registry: Registry, options: StudyOptions, row: StudyRow, saved: SavedStudy
) -> StudyRow:
    if row.profile is None or row.run is not None:
        return row
    rounds = saved.rounds_of(row.target)
    artifacts = {"rounds": registry.adopt(rounds)} if rounds.is_file() else {}
    given = {**_given(options), "target": row.target}
    variant = options.model[0].variant
    run = registry.add_run(STEP, variant, given, to_json(row.profile), artifacts)
    numbered = replace(row, run=run.id, profile=replace(row.profile, run=run.id))
    if saved.row(row.target) is not None:
        saved.keep(numbered)  # a resumed study records it only once
    return numbered


def _given(options: StudyOptions) -> dict[str, object]:
    """Return the options as those of a profile."""
    values = to_json(options)
    names = [name for form in _OF_PROFILES for name in form.__dataclass_fields__]
    given = {name: values[name] for name in names if name != "model"}
    return {**given, "models": [model.variant for model in options.model]}
