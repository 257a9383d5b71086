"""The state of this installation: what ``studio doctor`` looks at."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import metadata

from studio.api import Extension, StudioError
from studio.documents.defects import unforeseen
from studio.feature_host import damages
from studio.lazy_dataclass import dataclass
from studio.plugin_host import Plugin, PluginState
from studio.settings.installation import INSTALL, installation, missing_packages
from studio.settings.window_libraries import REQUIREMENT, has_qt, install_hint, missing_library
from studio.workspace.maintenance import Maintenance
from studio.workspace.workspace import Workspace

log = logging.getLogger(__name__)

_ENOUGH_DISK_MB = 500
_LONGEST_LAG = timedelta(days=3)
"""A registry that is used is copied once a day."""


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """One thing that was looked at.

    Attributes:
        ok: Nothing has to be done.
        optional: It is not there, and only what its text names needs it.
    """

    name: str
    ok: bool
    text: str
    optional: bool = False


def examine() -> Iterator[DoctorCheck]:
    """Yield the checks, one after the other; none can raise."""
    yield DoctorCheck("Python", sys.version_info >= (3, 11), platform.python_version())
    yield DoctorCheck("installation", True, f"{installation().value}, in {sys.prefix}")
    yield _window()
    for error in damages():
        yield DoctorCheck("feature", False, f"{error.message} {error.hint}")
    try:
        with Workspace.open() as workspace:
            shared = workspace.registry.shared
            place = shared.address.database if shared else str(workspace.paths.registry)
            yield DoctorCheck("registry", True, place)
            yield _copies(workspace)
            yield from _of_workspace(workspace)
    except StudioError as error:
        yield DoctorCheck("registry", False, f"{error.message} {error.hint}".strip())


def _copies(workspace: Workspace) -> DoctorCheck:
    """How old the last copy of the registry is; one without a model needs none."""
    if workspace.registry.shared is not None:
        return DoctorCheck("copies", True, "made by the database server of the shared registry")
    copies = Maintenance(workspace.paths).copies()
    if not copies:
        needed = bool(workspace.registry.models())
        return DoctorCheck("copies", not needed, "no backup of the registry yet")
    text = f"{len(copies)} of the registry, the last from {copies[0].day}"
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
        yield _plugin(plugin)
    yield _guarded("onnxruntime", lambda: str(host.get(Extension.BACKEND, "onnxruntime").version()))
    yield _program("ssh-keygen", "needed for signed bundles only", "openssh-client")


def _plugin(plugin: Plugin) -> DoctorCheck:
    """Return the state of a plugin; what a built-in one needs is a choice of the user's."""
    fine = plugin.state is PluginState.AVAILABLE
    optional = plugin.built_in and plugin.state in (PluginState.UNAVAILABLE, PluginState.OFF)
    return DoctorCheck(plugin.id, fine or optional, plugin.reason or "available", optional)


def _program(name: str, use: str, package: str) -> DoctorCheck:
    place = shutil.which(name)
    if place:
        return DoctorCheck(name, True, place)
    with_apt = shutil.which("apt-get") is not None
    how = f"; {INSTALL}sudo apt-get install {package}" if with_apt else ""
    return DoctorCheck(name, True, f"not installed; {use}{how}", optional=True)


def _window() -> DoctorCheck:
    """Return whether the window can be shown; servers and CI do without it."""
    if not has_qt():
        text = f"not installed; needed for the window only; {missing_packages([REQUIREMENT])}"
        return DoctorCheck("PySide6", True, text, optional=True)
    missing = missing_library()
    if missing:
        text = f"missing system libraries for the window: {missing}; {_lowered(install_hint())}"
        return DoctorCheck("PySide6", True, text, optional=True)
    return _guarded("PySide6", _pyside)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


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
        return DoctorCheck(name, False, unforeseen(error))
