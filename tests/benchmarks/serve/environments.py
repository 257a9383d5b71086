"""Environments of the peers: one each, of pinned versions, kept between benches."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

INSTALL_S = 600.0
LOCKS = Path(__file__).parent / "locks"
_SAME = ("numpy", "onnxruntime")
"""The versions that our own server is measured with: the same inference for all."""


class NotHere(Exception):
    """A peer that cannot be installed, in one sentence."""


def default_cache() -> Path:
    """Where the environments are kept: ``EDGEWRIGHT_BENCH_CACHE``, or the user's cache."""
    own = os.environ.get("EDGEWRIGHT_BENCH_CACHE")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "edgewright" / "bench-peers"


def requirements(name: str, locks: Path = LOCKS) -> dict[str, str]:
    """The versions of a peer and of all that it needs, by their names."""
    lines = (locks / f"{name}.txt").read_text().split()
    locked = dict(line.split("==") for line in lines)
    return {**locked, **{same: metadata.version(same) for same in _SAME}}


def install(name: str, cache: Path, locks: Path = LOCKS) -> Path:
    """The environment of a peer; made when it is not there.

    Args:
        locks: Folder of the files with the versions.

    Raises:
        NotHere: when it cannot be installed within some minutes.
    """
    wanted = [f"{one}=={version}" for one, version in requirements(name, locks).items()]
    digest = hashlib.sha256(" ".join([sys.version, *wanted]).encode()).hexdigest()
    environment = cache / f"{name}-{digest[:12]}"
    done = environment / "installed"
    if done.exists():
        return environment
    python = str(environment / "bin" / "python")
    commands = (
        [sys.executable, "-m", "venv", "--clear", str(environment)],
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", *wanted],
    )
    for command in commands:
        try:
            subprocess.run(command, check=True, timeout=INSTALL_S, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            reason = (error.stderr or error.stdout or "").strip().splitlines()[-1:]
            raise NotHere(f"{name} cannot be installed: {' '.join(reason)[:300]}") from error
        except (subprocess.TimeoutExpired, OSError) as error:
            raise NotHere(f"{name} cannot be installed: {str(error)[-300:]}") from error
    done.touch()
    return environment
