"""Garbage collection in the store: unused bundles are removed, running ones never."""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from studio.api import Refused
from studio.lazy_dataclass import dataclass
from studio.registry import Registry, VersionRecord
from studio.registry.ownership import entries
from studio.registry.run_journal import RunFolders
from studio.registry.run_records import INTERRUPTED, RUNNING
from studio.versions.aliases import RUNS
from studio.versions.results import (
    GarbageResult,
    RemovedFolder,
    RemovedVersion,
    RetainedVersion,
)
from studio.versions.step import GarbageOptions

_YOUNG_S = 3600.0
"""A younger folder in the store may belong to a job that is being recorded."""

_HELD_RELEASES = 3
"""Number of a target's last releases to keep for a rollback."""

_TRASH = ".trash-"
_TRASHED = re.compile(r"\.trash-[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class GarbagePlan:
    """The plan of a collection: the folders to remove, and the reasons for the others.

    Attributes:
        versions: Versions whose bundles are removed, with their folders in the store; their rows
            and lineage stay.
        orphans: Folders of the store without references.
        kept: Reason for each version that is kept.
        spared: Folders that have no references since the registry was restored from a copy.
    """

    versions: tuple[tuple[VersionRecord, Path], ...]
    orphans: tuple[Path, ...]
    kept: dict[int, str]
    spared: int = 0


def collect(registry: Registry, options: GarbageOptions, folder: Path) -> GarbageResult:
    """Remove unused bundles, or return the plan.

    Raises:
        Refused: when the store belongs to another registry; then nothing is removed.
    """
    store = registry.store
    with registry.quiet():  # no promotion or deploy may change the references now
        plan = make_plan(registry, options.keep, forgotten=options.forgotten)
        sizes = {home: _size(home) for home in (*(h for _v, h in plan.versions), *plan.orphans)}
        trash = [] if options.dry_run else [_move_out(home, store) for home in sizes]
    for path in trash if options.dry_run else (*trash, *_trash(store)):
        shutil.rmtree(path, ignore_errors=True)
    names = {one.id: one.name for one in registry.models()}
    return GarbageResult(
        dry_run=options.dry_run,
        versions=tuple(
            RemovedVersion(f"{names[v.model]}:{v.number}", v.digest, sizes[home])
            for v, home in plan.versions
        ),
        orphans=tuple(RemovedFolder(path.name, sizes[path]) for path in plan.orphans),
        bytes=sum(sizes.values()),
        spared=plan.spared,
        kept=tuple(
            RetainedVersion(f"{names[v.model]}:{v.number}", plan.kept[v.id])
            for v in registry.versions()
            if v.id in plan.kept
        ),
    )


def make_plan(registry: Registry, keep: int, *, forgotten: bool = False) -> GarbagePlan:
    """Plan the collection of all versions and folders; folders added later are not touched.

    Args:
        keep: Number of newest versions of each model to keep.
        forgotten: Also remove folders that a restore has left without references.

    Raises:
        Refused: when the store belongs to another registry.
    """
    listed = entries(registry.store)
    _require_own(registry, listed)
    kept = dict(needed(registry, keep))
    here = [version for version in registry.versions() if version.path.is_dir()]
    named = _referred(registry, {version.id for version in here if version.id not in kept})
    gone = []
    for version in here:
        home = _home(version, listed)
        if version.id not in kept and home is not None and home.name not in named:
            gone.append((version, home))
        elif version.id not in kept:
            kept[version.id] = "something else needs its folder, or it lies outside the store"
    leaving = {home.name for _version, home in gone}
    unknown = [path for name, path in listed.items() if name not in named | leaving]
    restored = "" if forgotten else registry.restored
    orphans = [path for path in unknown if _is_old(path) and not _is_before(path, restored)]
    spared = sum(_is_before(path, restored) for path in unknown)
    reasons = {v.id: kept[v.id] for v in here if v.id in kept}
    return GarbagePlan(tuple(gone), tuple(orphans), reasons, spared)


def _require_own(registry: Registry, listed: Mapping[str, Path]) -> None:
    """Refuse a registry that is newer than its store, as it would take all folders for garbage."""
    if registry.owns_store and (not listed or _referred(registry, frozenset())):
        return
    raise Refused(
        "This registry knows nothing of what lies in its store, so nothing was removed.",
        hint="Go back to a copy of the registry that does with: studio registry restore",
    )


def _home(version: VersionRecord, listed: Mapping[str, Path]) -> Path | None:
    """Return the listed folder of the store that contains a version's bundle; None without one."""
    home = listed.get(version.path.parent.name)
    return home if home is not None and version.path.parent == home else None


def _is_before(path: Path, restored: str) -> bool:
    """Return whether a folder was in the store before the registry was restored."""
    if not restored:
        return False
    try:
        return path.stat().st_mtime <= datetime.fromisoformat(restored).timestamp()
    except OSError:
        return False


def _trash(store: Path) -> list[Path]:
    """Return the folders that killed collections have moved out of the store."""
    with os.scandir(store) as found:
        names = [one.name for one in found if one.is_dir(follow_symlinks=False)]
    return [store / name for name in names if _TRASHED.fullmatch(name)]


def needed(registry: Registry, keep: int) -> Iterator[tuple[int, str]]:
    """Yield the versions to keep, each with a reason; the strongest reason comes last."""
    for model in registry.models():
        for version in registry.versions(model.id)[:keep]:
            yield version.id, f"among the newest {keep}"
    digests = {version.digest: version.id for version in registry.versions()}
    for bundle in _of_open_runs(registry):
        for version in registry.versions():
            if str(version.path) == bundle:
                yield version.id, "a run that is not finished needs it"
    targets = registry.history.targets()
    for target in targets:
        releases = registry.releases(target)
        served = (release.digest for release in releases if release.state != "failed")
        last = list(dict.fromkeys(served))[:_HELD_RELEASES]
        for digest in last:
            if digest in digests:
                yield digests[digest], f"{target} can be rolled back to it"
    names = {one.id: one.name for one in registry.models()}
    for alias in registry.ledger.aliases():
        yield alias.version, f"{names[alias.model]}@{alias.name} points to it"
    for target in targets:
        running = _running(registry, target)
        if running in digests:
            yield digests[running], f"it runs on {target}"


def _running(registry: Registry, target: str) -> str:
    """Return the release of a target by the registry's record; a canary counts, too."""
    for release in registry.releases(target):
        if release.state == "removed":
            return ""
        if release.state not in ("replaced", "rolled back", "failed"):
            return release.digest
    return ""


def _of_open_runs(registry: Registry) -> Iterator[str]:
    for run in RunFolders(registry.folder.parent / RUNS).all():
        journal = run.read()
        if journal.state in (RUNNING, INTERRUPTED):
            for step in journal.steps:
                bundle = run.product(step.id).bundle
                if bundle:
                    yield bundle


def _referred(registry: Registry, without: Collection[int]) -> set[str]:
    """Return the names of the folders that rows refer to, except rows of some versions."""
    paths: list[Path] = []
    for variant in registry.variants():
        paths += [variant.path, *([variant.graph_path] if variant.graph_path else [])]
    paths += [artifact.path for run in registry.runs() for artifact in run.artifacts.values()]
    paths += [version.path for version in registry.versions() if version.id not in without]
    store = registry.store
    return {path.relative_to(store).parts[0] for path in paths if _is_below(path, store)}


def _is_below(path: Path, store: Path) -> bool:
    return path != store and path.is_relative_to(store)


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _YOUNG_S
    except OSError:
        return False


def _move_out(home: Path, store: Path) -> Path:
    """Move a folder out of the store in one rename, so a crash leaves no half of a bundle."""
    trash = store / f"{_TRASH}{uuid.uuid4().hex}"
    os.rename(home, trash)
    return trash


def _size(path: Path) -> int:
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
