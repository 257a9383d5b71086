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
from studio.plugin_host import PluginState
from studio.workspace.maintenance import Maintenance
from studio.workspace.workspace import Workspace

log = logging.getLogger(__name__)

_ENOUGH_DISK_MB = 500
_LONGEST_LAG = timedelta(days=3)
"""A registry that is used is copied once a day."""


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """One thing that was looked at."""

    name: str
    ok: bool
    text: str


def examine() -> Iterator[DoctorCheck]:
    """Yield the checks, one after the other; none can raise."""
    yield DoctorCheck("Python", sys.version_info >= (3, 11), platform.python_version())
    yield _guarded("PySide6", _pyside)
    try:
        with Workspace.open() as workspace:
            yield DoctorCheck("registry", True, str(workspace.paths.registry))
            yield _copies(workspace)
            yield from _of_workspace(workspace)
    except StudioError as error:
        yield DoctorCheck("registry", False, f"{error.message} {error.hint}".strip())


def _copies(workspace: Workspace) -> DoctorCheck:
    """How old the last copy of the registry is; one without a model needs none."""
    copies = Maintenance(workspace.paths).copies()
    if not copies:
        needed = bool(workspace.registry.models())
        return DoctorCheck("copies", not needed, "the registry has not been copied yet")
    text = f"{len(copies)} of the registry, the last of {copies[0].day}"
    return DoctorCheck("copies", Maintenance(workspace.paths).lag < _LONGEST_LAG, text)


def _of_workspace(workspace: Workspace) -> Iterator[DoctorCheck]:
    sandbox = workspace.sandbox
    yield DoctorCheck("sandbox", True, f"{sandbox.value}: {sandbox.explanation}")
    for one in sandbox.protections:
        yield DoctorCheck(f"- {one.name}", True, f"{one.enforced.value}: {one.text}")
    yield _log(workspace)
    free = shutil.disk_usage(workspace.paths.data).free >> 20
    yield DoctorCheck("disk", free >= _ENOUGH_DISK_MB, f"{free:,} MB free")
    host = workspace.plugins
    for plugin in host.plugins:
        fine = plugin.state is PluginState.AVAILABLE
        yield DoctorCheck(plugin.id, fine, plugin.reason or "available")
    yield _guarded("onnxruntime", lambda: str(host.get(Extension.BACKEND, "onnxruntime").version()))
    yield DoctorCheck(
        "ssh-keygen", True, shutil.which("ssh-keygen") or "not installed; it is not needed"
    )


def _log(workspace: Workspace) -> DoctorCheck:
    folder = workspace.paths.logs
    can = os.access(folder if folder.exists() else folder.parent, os.W_OK | os.X_OK)
    return DoctorCheck("log", can, f"{folder}{'' if can else ' cannot be written to'}")


def _pyside() -> str:
    version = metadata.version("PySide6-Essentials")
    if version == "6.12.0" and sys.version_info < (3, 12):
        raise StudioError("PySide6 6.12.0 does not work on Python 3.11; install another version.")
    return version


def _guarded(name: str, look: Callable[[], str]) -> DoctorCheck:
    try:
        return DoctorCheck(name, True, look())
    except StudioError as error:
        return DoctorCheck(name, False, error.message)
    except Exception as error:  # a defect of the installation is a finding of the report
        log.warning("check failed", exc_info=True, extra={"check": name})
        return DoctorCheck(name, False, f"{type(error).__name__}: {error}")
