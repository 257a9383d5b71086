"""Root of releases as the server reads it: the current release, and the runner of each."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import List, NamedTuple, Optional


def current_release(root: Path) -> Optional[Path]:
    """Return the current release's folder, resolved once so that a switch cannot mix two."""
    try:
        return root / os.readlink(str(root / "current"))
    except OSError:
        return None


def run_folder_of(file: Path) -> Optional[Path]:
    """Return the folder to which the server of a release's root writes; None for a bare file."""
    for folder in file.parents:
        if folder.parent.name == "releases":
            run = folder.parent.parent / "run"
            return run if run.is_dir() else None
    return None


def engines_of(file: Path) -> Optional[Path]:
    """Return the folder for what execution providers compile; None for a bare file."""
    run = run_folder_of(file)
    return None if run is None else run / "engines"


class Runner(NamedTuple):
    """The interpreter and zip application that a release is run with."""

    command: List[str]


def runner_of(root: Path, release: Path) -> Runner:
    """Return the runner of a release from ``ROOT/releases/<digest>.json``, else this process's."""
    try:
        binding = json.loads(release.with_name(release.name + ".json").read_text("utf-8"))
        # An interpreter inside the root is kept relative to it; joining keeps an absolute one.
        python = root / binding["python"]
        return Runner([str(python), str(root / "runtime" / binding["runtime"])])
    except (OSError, ValueError, KeyError, TypeError):
        return Runner(_own_command())


def probe_seconds(release: Path) -> float:
    """Return the time that the probe of a release took; 0 where it is not known."""
    try:
        binding = json.loads(release.with_name(release.name + ".json").read_text("utf-8"))
        return max(0.0, float(binding["probe_s"]))
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


def _own_command() -> List[str]:
    archive = getattr(globals().get("__loader__"), "archive", None)
    if archive:
        return [sys.executable, str(archive)]
    package = (__package__ or "").rpartition(".")[0]
    apart = ["-P"] if sys.version_info >= (3, 11) else []
    return [sys.executable, *apart, "-m", package]
