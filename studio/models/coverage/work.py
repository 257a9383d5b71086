"""The work of the step coverage, in a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.api import Model, UsageError
from studio.jobs.step import Arguments, Job, Result
from studio.models.coverage.board_systems import kind_of, notes, systems
from studio.models.coverage.check import Problem, check
from studio.models.coverage.releases import Release, release_of, releases
from studio.models.memory import activation_peak
from studio.models.opening import look
from studio.models.step import NO_BOARD
from studio.registry import Registry


def prepare(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Add what is known of the target."""
    target = arguments.get("target")
    facts = registry.facts(target["name"]) if target else {}
    if target and not facts:
        raise UsageError(
            f"Nothing is known of {target['name']} yet.",
            hint=f"Ask it first: studio target probe {target['name']}.",
        )
    return {**arguments, "facts": facts}


def coverage(arguments: Arguments, job: Job) -> Result:
    """Say whether a model will run on a release of the runtime, a target, or a kind of board.

    Raises:
        UsageError: when the release is not in the table, or the board not in the catalogue.
    """
    facts: Mapping[str, Any] = arguments.get("facts") or {}
    name = arguments.get("board") or NO_BOARD
    if name != NO_BOARD:
        return _on_board(name, arguments, job)
    release = _release(arguments.get("runtime"), facts)
    model, need = _looked_at(arguments, job)
    memory = int(facts.get("memory_mb") or 0)
    problems = check(model, release, memory, need)
    where = arguments["target"]["name"] if arguments.get("target") else None
    return _result(release, problems, need, where)


def _on_board(name: str, arguments: Arguments, job: Job) -> Result:
    """The answer for the system that a new board of the kind has, and for its others."""
    if arguments.get("target"):
        raise UsageError("A target and a kind of board cannot be asked for at once.")
    kind = kind_of(name)
    asked = arguments.get("runtime")
    model, need = _looked_at(arguments, job)
    found = systems(model, name, need, _release(asked, {}) if asked else None)
    usual = found[0]
    where = f"{kind.title}, {usual.name}"
    return {
        **_result(usual.release, usual.problems, need, where),
        "board": kind.id,
        "systems": [
            {
                "name": one.name,
                "runtime": _named(one.release),
                "covered": not one.problems,
                "problems": [asdict(problem) for problem in one.problems],
            }
            for one in found
        ],
        "notes": [*notes(kind, need)],
        "source": kind.source,
    }


def _looked_at(arguments: Arguments, job: Job) -> tuple[Model, float]:
    """The model, and the megabytes that it and its activations take."""
    opened = look(Path(arguments["model"]["path"]), job)
    size = sum(file.stat().st_size for file in opened.files)
    return opened.model, (size + activation_peak(opened.sized.graph)) / 1e6


def _result(
    release: Release | None, problems: Sequence[Problem], need: float, where: str | None
) -> dict[str, Any]:
    return {
        "covered": not problems,
        "runtime": _named(release),
        "target": where,
        "opset": release.opset if release else None,
        "ir": release.ir if release else None,
        "memory_mb": round(need, 1),
        "problems": [asdict(problem) for problem in problems],
    }


def _named(release: Release | None) -> str:
    return f"onnxruntime {release.version}" if release else ""


def _release(asked: str | None, facts: Mapping[str, Any]) -> Release:
    """The one that was asked for; else what the target has; else the newest, which is sent."""
    version = asked or dict(facts.get("runtimes") or {}).get("onnxruntime") or ""
    if not version:
        return releases()[-1]
    found = release_of(str(version))
    if found is None:
        known = f"{releases()[0].version} to {releases()[-1].version}"
        raise UsageError(f"Nothing is known of ONNX Runtime {version}.", hint=f"Known are {known}.")
    return found
