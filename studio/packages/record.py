"""What packaging adds to the registry."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.api import StudioError
from studio.datasets.preprocess import FILE as PREPROCESS
from studio.jobs import Arguments, Result
from studio.packages.latency import latency_of
from studio.packages.signing import write_signature
from studio.registry import Registry, VariantRecord, VersionRecord, component_of
from studio.runtime.shared.manifest import SIGNATURE

EPOCH = "SOURCE_DATE_EPOCH"
_MOST_DIGITS = 12
_MOST_STEPS = 100
_PREPARED = ("model", "known", "number", "made", "latency")
"""What is no option of the user's."""
_UNSIGNED = (
    "The bundle was there before, without a signature, and stays so: a copy with --out is signed, "
    "or sign as it is deployed, with --sign."
)
_REMEMBERED = 50
"""Bundles of a model among which one with the same content is looked for."""


def prepare(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Add the next number of the model, and the bundles that it has."""
    versions = registry.versions(int(arguments["model"]["model"]))
    # The counter follows the clock, so that it also grows from one registry to the next: a board
    # that was served from another computer must accept what is made here later.
    at = _clock()
    number = {
        "version": versions[0].number + 1 if versions else 1,
        "counter": max(registry.next_counter(), at),
        "created": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
    }
    known = [str(version.path) for version in versions[:_REMEMBERED]]
    made = _made(registry, registry.variant(int(arguments["model"]["variant"])))
    # Measured times are others each time: a build that is to be repeated takes none along.
    variant = int(arguments["model"]["variant"])
    measured = None if os.environ.get(EPOCH) else latency_of(registry, variant)
    return {**arguments, "number": number, "known": known, "made": made, "latency": measured}


def _clock() -> int:
    """Seconds since 1970; a build that is to be repeated sets ``SOURCE_DATE_EPOCH``."""
    text = os.environ.get(EPOCH, "")
    return int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else int(time.time())


def _made(registry: Registry, variant: VariantRecord) -> list[dict[str, Any]]:
    """What made a variant out of a model that was opened, the last step first.

    Of each the step, its options, the digests of its data, and of the model that it was given.
    """
    rows: list[dict[str, Any]] = []
    while variant.parent is not None and len(rows) < _MOST_STEPS:
        parent = registry.variant(variant.parent)
        action = registry.ledger.producer(variant)
        inputs = action.result.get("inputs") or {} if action else {}
        options = {key: value for key, value in variant.options.items() if key != "model"}
        row = {"step": variant.step, "options": options, "inputs": inputs, "of": parent.digest}
        rows.append(row)
        variant = parent
    return rows


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
        "embedding": result.get("embedding"),
        "notes": result.get("notes", []),
        "hints": result.get("hints", []),
        "findings": result.get("findings", []),
    }
    if arguments.get("preprocess_draft"):
        final["preprocess_draft"] = _write_draft(result, Path(arguments["preprocess_draft"]))
    unsigned = result.get("signature") and not (version.path / SIGNATURE).exists()
    if arguments.get("out"):
        final["bundle"] = str(_copy(version.path, Path(arguments["out"])))
        if unsigned:
            write_signature(Path(final["bundle"]), str(result["signature"]))
    elif unsigned:
        final["notes"] = [*final["notes"], _UNSIGNED]
    registry.add_run("package", version.variant, _options(arguments), final)
    return final


def _write_draft(result: Result, path: Path) -> str:
    """Write it where the user wants it.

    Raises:
        StudioError: when another file lies there, which may hold somebody's work.
    """
    path = path / PREPROCESS if path.is_dir() else path
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(result["preprocess_draft"])
    except FileExistsError:
        raise StudioError(f"{path} exists already.", hint="Give another name.") from None
    except OSError as error:
        raise StudioError(f"{path} cannot be written: {error.strerror}.") from None
    return str(path)


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
    name = component_of(f"{result['name']}-{result['version']}")
    artifact = registry.adopt_made(Path(result["bundle"]), name)
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
    return {k: v for k, v in arguments.items() if k not in _PREPARED}
