"""The Python that an environment is made with: the studio's own where it will do."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from studio.api import Unavailable

_NEWEST, _OLDEST = 20, 8
_SECONDS = 10.0
_ASK = "import platform, sys; print(platform.python_version(), getattr(sys, '_base_executable', 0))"


def interpreter_for(versions: str) -> tuple[Path, str]:
    """Return an interpreter in a range of versions, and its version.

    Args:
        versions: A PEP 440 specifier.

    Raises:
        Unavailable: when this machine has none.
    """
    from packaging.specifiers import SpecifierSet

    range_ = SpecifierSet(versions)
    for path, version in _available():
        if range_.contains(version, prereleases=True):
            return path, version
    raise Unavailable(
        f"No Python {versions} is on this machine; the studio runs on {platform.python_version()}.",
        hint="Install one so that it is found by its name (python3.12 ...).",
    )


def _available() -> Iterator[tuple[Path, str]]:
    yield Path(sys.executable), platform.python_version()
    for minor in range(_NEWEST, _OLDEST - 1, -1):
        program = shutil.which(f"python3.{minor}")
        version = _version(program) if program else ""
        if program and version:
            yield Path(program), version


def _version(program: str) -> str:
    """Return the version that a program prints, empty when it is no working Python."""
    try:
        done = subprocess.run(
            [program, "-I", "-c", _ASK], capture_output=True, text=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.split()[0] if done.returncode == 0 and done.stdout else ""
