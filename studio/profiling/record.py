"""The record of a profile: its result as a run, the raw rounds beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.registry import Registry

ROUNDS_FILE = "rounds.json"


def profiled(
    registry: Registry, arguments: Mapping[str, Any], result: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """Keep the run under the reference's variant; returns the result with the run's number."""
    artifacts = {}
    rounds = folder / ROUNDS_FILE
    if rounds.is_file():
        artifacts["rounds"] = registry.adopt(rounds)
    options = {name: value for name, value in arguments.items() if name not in ("model", "target")}
    options["models"] = [model["variant"] for model in arguments["model"]]
    options["target"] = arguments["target"]["name"] if arguments.get("target") else "local"
    variant = arguments["model"][0]["variant"]
    run = registry.add_run("profile", variant, options, result, artifacts)
    return result | {"run": run.id}
