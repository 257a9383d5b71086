"""What packaging adds to the registry."""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.api import StudioError
from studio.jobs import Arguments, Result
from studio.registry import Registry, VersionRecord

_REMEMBERED = 50
"""Bundles of a model among which one with the same content is looked for."""


def prepare(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Add the next number of the model, and the bundles that it has."""
    versions = registry.versions(int(arguments["model"]["model"]))
    # The counter follows the clock, so that it also grows from one registry to the next: a board
    # that was served from another computer must accept what is made here later.
    number = {
        "version": versions[0].number + 1 if versions else 1,
        "counter": max(registry.next_counter(), int(time.time())),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    known = [str(version.path) for version in versions[:_REMEMBERED]]
    return {**arguments, "number": number, "known": known}


def packaged(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the bundle and copy it to where the user wants it."""
    version = keep(registry, arguments["model"], result)
    final = {
        "bundle": str(version.path),
        "digest": version.digest,
        "bytes": result["bytes"],
        "image": None,
        "name": result["name"],
        "version": version.number,
        "counter": version.counter,
        "new": result["new"],
        "variant": version.variant,
    }
    if arguments.get("out"):
        final["bundle"] = str(_copy(version.path, Path(arguments["out"])))
    registry.add_run("package", version.variant, _options(arguments), final)
    return final


def keep(registry: Registry, model: Mapping[str, Any], result: Mapping[str, Any]) -> VersionRecord:
    """The version of a bundle that the work has made or found.

    Raises:
        StudioError: when another process has numbered a bundle of this model meanwhile.
    """
    number = int(model["model"])
    known = {version.digest: version for version in registry.versions(number)}
    if result["digest"] in known:
        return known[result["digest"]]
    if any(version.number >= result["version"] for version in known.values()):
        raise StudioError(
            f"Version {result['version']} of {result['name']} was made elsewhere meanwhile.",
            hint="Repeat the step.",
        )
    artifact = registry.adopt(Path(result["bundle"]), f"{result['name']}-{result['version']}")
    return registry.add_version(
        number, int(model["variant"]), artifact, str(result["digest"]), int(result["counter"])
    )


def _copy(source: Path, target: Path) -> Path:
    """Copy a bundle out of the store, as files that the user may write to."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        if not (target / "manifest.json").is_file():
            raise StudioError(
                f"{target} exists and is not a bundle.", hint="Give the name of a new folder."
            )
        shutil.rmtree(target)
    shutil.copytree(source, target, dirs_exist_ok=True)
    for path in target.rglob("*"):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return target


def _options(arguments: Arguments) -> dict[str, Any]:
    return {k: v for k, v in arguments.items() if k not in ("model", "known", "number")}
