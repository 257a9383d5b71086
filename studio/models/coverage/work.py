"""The work of the step coverage, in a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import Model, UsageError
from studio.documents.dataclass_json import from_json
from studio.jobs.step import Job
from studio.models.coverage.board_systems import kind_of, notes, systems
from studio.models.coverage.check import check
from studio.models.coverage.releases import Release, release_of, releases
from studio.models.memory import activation_peak
from studio.models.opening import read_model
from studio.models.results import (
    CoverageResult,
    Problem,
    SystemCoverage,
    TargetFacts,
)
from studio.models.step import NO_BOARD, CoverageOptions
from studio.registry import Registry


def prepare(registry: Registry, options: CoverageOptions) -> CoverageOptions:
    """Add what is known of the target."""
    if options.target is None:
        return options
    name = options.target.name
    facts = registry.facts(name)
    if not facts:
        raise UsageError(
            f"{name} was not probed yet.", hint=f"Probe it first: studio target probe {name}"
        )
    return replace(options, facts=from_json(TargetFacts, facts))


def coverage(options: CoverageOptions, job: Job) -> CoverageResult:
    """Say whether a model will run on a release of the runtime, a target, or a kind of board.

    Raises:
        UsageError: when the release is not in the table, or the board not in the catalogue.
    """
    if options.board != NO_BOARD:
        return _on_board(options, job)
    facts = options.facts
    release = _release(options.runtime or (facts.runtimes or {}).get("onnxruntime"))
    model, need = _model_and_size(options, job)
    problems = check(model, release, int(facts.memory_mb or 0), need)
    return _result(release, problems, need, options.target.name if options.target else None)


def _on_board(options: CoverageOptions, job: Job) -> CoverageResult:
    """Return the answer for a new board's system, and for the other systems."""
    if options.target:
        raise UsageError("--target cannot be combined with --board.")
    kind, asked = kind_of(options.board), options.runtime
    model, need = _model_and_size(options, job)
    found = systems(model, options.board, need, _release(asked) if asked else None)
    usual = found[0]
    return replace(
        _result(usual.release, usual.problems, need, f"{kind.title}, {usual.name}"),
        board=kind.id,
        systems=tuple(
            SystemCoverage(one.name, _named(one.release), not one.problems, tuple(one.problems))
            for one in found
        ),
        notes=tuple(notes(kind, need)),
        source=kind.source,
    )


def _model_and_size(options: CoverageOptions, job: Job) -> tuple[Model, float]:
    """Return the model, and the megabytes of it and its activations."""
    opened = read_model(Path(options.model.path), job)
    size = sum(file.stat().st_size for file in opened.files)
    return opened.model, (size + activation_peak(opened.sized.graph)) / 1e6


def _result(
    release: Release | None, problems: Sequence[Problem], need: float, where: str | None
) -> CoverageResult:
    return CoverageResult(
        covered=not problems,
        runtime=_named(release),
        target=where,
        opset=release.opset if release else None,
        ir=release.ir if release else None,
        memory_mb=round(need, 1),
        problems=tuple(problems),
    )


def _named(release: Release | None) -> str:
    return f"onnxruntime {release.version}" if release else ""


def _release(version: str | None) -> Release:
    """Return the release of a version; without one the newest, which a deploy uploads."""
    if not version:
        return releases()[-1]
    found = release_of(version)
    if found is None:
        known = f"{releases()[0].version} to {releases()[-1].version}"
        raise UsageError(
            f"Unknown release of ONNX Runtime: {version}.", hint=f"Known releases: {known}."
        )
    return found
