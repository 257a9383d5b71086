"""Record of a profile: its result as a run, with the raw rounds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from studio.documents.dataclass_json import to_json
from studio.profiling.recording import Recording
from studio.profiling.results import ProfileResult
from studio.profiling.step import ProfileOptions
from studio.registry import Registry

ROUNDS_FILE = "rounds.json"


def profiled(
    registry: Registry, options: ProfileOptions, result: ProfileResult, folder: Path
) -> ProfileResult:
    """Keep the run under the reference's variant; returns the result with the run's number."""
    rounds = folder / ROUNDS_FILE
    artifacts = {"rounds": registry.adopt(rounds)} if rounds.is_file() else {}
    given = to_json(options)
    del given["model"], given["target"]
    given["models"] = [model.variant for model in options.model]
    given["target"] = options.target.name if options.target else "local"
    variant = options.model[0].variant
    run = registry.add_run("profile", variant, given, to_json(result), artifacts)
    return replace(result, run=run.id)


def write_rounds(recording: Recording, path: Path) -> None:
    """Write the raw rounds, so that the statistics can be recomputed."""
    document = {
        "config": recording.config,
        "environment": recording.environment,
        "rounds": recording.rounds,
        "result": recording.result or {},
    }
    path.write_text(json.dumps(to_json(document)), encoding="utf-8")
