"""The state of this installation: what ``studio doctor`` looks at."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata

from studio.api import Extension, StudioError
from studio.plugin_host import State
from studio.workspace.maintenance import Upkeep
from studio.workspace.workspace import Workspace

log = logging.getLogger(__name__)

_ENOUGH_DISK_MB = 500
_LONGEST_LAG = timedelta(days=3)
"""A registry that is used is copied once a day."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    text: str


def examine() -> Iterator[Check]:
    """The checks, one after the other; none can raise."""
    yield Check("Python", sys.version_info >= (3, 11), platform.python_version())
    yield _guarded("PySide6", _pyside)
    try:
        with Workspace.open() as workspace:
            yield Check("registry", True, str(workspace.paths.registry))
            yield _copies(workspace)
            yield from _of_workspace(workspace)
    except StudioError as error:
        yield Check("registry", False, f"{error.message} {error.hint}".strip())


def _copies(workspace: Workspace) -> Check:
    """How old the last copy of the registry is; one without a model needs none."""
    copies = Upkeep(workspace.paths).copies()
    if not copies:
        needed = bool(workspace.registry.models())
        return Check("copies", not needed, "the registry has not been copied yet")
    text = f"{len(copies)} of the registry, the last of {copies[0].day}"
    return Check("copies", Upkeep(workspace.paths).lag < _LONGEST_LAG, text)


def _of_workspace(workspace: Workspace) -> Iterator[Check]:
    sandbox = workspace.sandbox
    yield Check("sandbox", True, f"{sandbox.value}: {sandbox.explanation}")
    for one in sandbox.protections:
        yield Check(f"- {one.name}", True, f"{one.enforced.value}: {one.text}")
    yield _log(workspace)
    free = shutil.disk_usage(workspace.paths.data).free >> 20
    yield Check("disk", free >= _ENOUGH_DISK_MB, f"{free:,} MB free")
    host = workspace.plugins
    for plugin in host.plugins:
        fine = plugin.state is State.AVAILABLE
        yield Check(plugin.id, fine, plugin.reason or "available")
    yield _guarded("onnxruntime", lambda: str(host.get(Extension.BACKEND, "onnxruntime").version()))
    yield Check("ssh-keygen", True, shutil.which("ssh-keygen") or "not installed; it is not needed")


def _log(workspace: Workspace) -> Check:
    folder = workspace.paths.logs
    can = os.access(folder if folder.exists() else folder.parent, os.W_OK | os.X_OK)
    return Check("log", can, f"{folder}{'' if can else ' cannot be written to'}")


def _pyside() -> str:
    version = metadata.version("PySide6-Essentials")
    if version == "6.12.0" and sys.version_info < (3, 12):
        raise StudioError("PySide6 6.12.0 does not work on Python 3.11; install another version.")
    return version


def _guarded(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except StudioError as error:
        return Check(name, False, error.message)
    except Exception as error:  # whatever is wrong with an installation, the doctor says so
        log.warning("check failed", exc_info=True, extra={"check": name})
        return Check(name, False, f"{type(error).__name__}: {error}")
