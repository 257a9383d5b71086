"""Garbage collection: what nobody needs leaves the store; what runs never does."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.governance.aliases import RUNS
from studio.governance.journal import INTERRUPTED, RUNNING, RunFolders
from studio.jobs import Arguments, Result
from studio.registry import Registry, VersionRecord

_YOUNG_S = 3600.0
"""What was put into the store within this time may belong to a job that is being recorded."""

_HELD_RELEASES = 3
"""So many of a target's last releases are kept: it may be rolled back to them."""

_TRASH = ".trash-"


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be removed, and why the rest stays.

    Attributes:
        versions: Versions whose bundles go; their rows and lineage stay.
        orphans: Entries of the store that nothing refers to.
        kept: For each version that stays, why.
    """

    versions: tuple[VersionRecord, ...]
    orphans: tuple[Path, ...]
    kept: dict[int, str]


def collected(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Remove what nobody needs, or say what would be removed."""
    keep, dry = int(arguments["keep"]), bool(arguments["dry_run"])
    store = registry.store
    with registry.quiet():  # nobody may promote or deploy what is being judged
        plan = make_plan(registry, keep)
        homes = [version.path.parent for version in plan.versions]
        sizes = {home: _size(home) for home in (*homes, *plan.orphans)}
        trash = [] if dry else [_away(home, store) for home in sizes]
    for path in trash if dry else (*trash, *store.glob(f"{_TRASH}*")):
        shutil.rmtree(path, ignore_errors=True)
    names = {one.id: one.name for one in registry.models()}
    return {
        "dry_run": dry,
        "versions": [
            {
                "name": f"{names[v.model]}:{v.number}",
                "digest": v.digest,
                "bytes": sizes[v.path.parent],
            }
            for v in plan.versions
        ],
        "orphans": [{"path": p.name, "bytes": sizes[p]} for p in plan.orphans],
        "bytes": sum(sizes.values()),
        "kept": [
            {"name": f"{names[v.model]}:{v.number}", "because": plan.kept[v.id]}
            for v in registry.versions()
            if v.id in plan.kept
        ],
    }


def make_plan(registry: Registry, keep: int) -> Plan:
    """Judge every version and every entry of the store.

    Args:
        keep: So many of each model's newest versions stay.
    """
    kept = dict(_needed(registry, keep))
    here = [version for version in registry.versions() if version.path.is_dir()]
    gone = tuple(version for version in here if version.id not in kept)
    named = _referred(registry)
    orphans = tuple(
        path
        for path in sorted(registry.store.iterdir())
        if path.name not in named and not path.name.startswith(".") and _is_old(path)
    )
    return Plan(gone, orphans, {v.id: kept[v.id] for v in here if v.id in kept})


def _needed(registry: Registry, keep: int) -> Iterator[tuple[int, str]]:
    """Versions that stay, each with a reason; the strongest reason comes last and wins."""
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
        yield alias.version, f"{names[alias.model]}@{alias.name} stands for it"
    for target in targets:
        running = _running(registry, target)
        if running in digests:
            yield digests[running], f"it runs on {target}"


def _running(registry: Registry, target: str) -> str:
    """The release that a target serves, as far as this registry knows; a canary counts, too."""
    for release in registry.releases(target):
        if release.state == "removed":
            return ""
        if release.state not in ("replaced", "rolled back", "failed"):
            return release.digest
    return ""


def _of_open_runs(registry: Registry) -> Iterator[str]:
    for run in RunFolders(registry.folder.parent / RUNS).all():
        document = run.read()
        if document.get("state") in (RUNNING, INTERRUPTED):
            for step in document.get("steps") or ():
                bundle = run.result(str(step["id"])).get("bundle")
                if bundle:
                    yield str(bundle)


def _referred(registry: Registry) -> set[str]:
    """Names of the store's entries that some row refers to."""
    paths: list[Path] = []
    for variant in registry.variants():
        paths += [variant.path, *([variant.graph_path] if variant.graph_path else [])]
    paths += [artifact.path for run in registry.runs() for artifact in run.artifacts.values()]
    paths += [version.path for version in registry.versions()]
    store = registry.store
    return {path.relative_to(store).parts[0] for path in paths if path.is_relative_to(store)}


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _YOUNG_S
    except OSError:
        return False


def _away(home: Path, store: Path) -> Path:
    """Take an entry out of the store in one rename; what a crash leaves is no half a bundle."""
    trash = store / f"{_TRASH}{uuid.uuid4().hex}"
    os.rename(home, trash)
    return trash


def _size(path: Path) -> int:
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
