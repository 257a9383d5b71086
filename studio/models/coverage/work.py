"""The work of the step coverage, in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.api import UsageError
from studio.jobs.step import Arguments, Job, Result
from studio.models.coverage.check import check
from studio.models.coverage.releases import Release, release_of, releases
from studio.models.memory import activation_peak
from studio.models.opening import look
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
    """Say whether a model will run on a release of the runtime, or on a target.

    Raises:
        UsageError: when the release is not in the table.
    """
    facts: Mapping[str, Any] = arguments.get("facts") or {}
    release = _release(arguments.get("runtime"), facts)
    opened = look(Path(arguments["model"]["path"]), job)
    size = sum(file.stat().st_size for file in opened.files)
    need = (size + activation_peak(opened.sized.graph)) / 1e6
    memory = int(facts.get("memory_mb") or 0)
    problems = check(opened.model, release, memory, need)
    return {
        "covered": not problems,
        "runtime": f"onnxruntime {release.version}",
        "target": arguments["target"]["name"] if arguments.get("target") else None,
        "opset": release.opset,
        "ir": release.ir,
        "memory_mb": round(need, 1),
        "problems": [asdict(problem) for problem in problems],
    }


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
