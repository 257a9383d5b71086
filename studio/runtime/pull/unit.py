"""The pull client as a unit of systemd, or as a process without it."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import List, Optional

from ..units.systemd import Systemd, UnitError
from ..units.unit import quoted
from .errors import PullError
from .settings import PullFolder

_TEXT = """\
# Written by edgewright; changes are lost when the pull client is set up again.
[Unit]
Description=Edgewright: pull client of {title}
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
WorkingDirectory={folder}
Environment=PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
KillMode=process
TimeoutStopSec=1800
Restart=always
RestartSec=10
NoNewPrivileges=yes
RestrictRealtime=yes
LockPersonality=yes
UMask=0027

[Install]
WantedBy={target}
"""
"""The release machine, which this client calls, installs units and starts servers itself, so that
it is confined less than a server."""


def unit_name(root: Path) -> str:
    """Return the name of the unit of a folder of releases."""
    return "edgewright-pull-{}.service".format(hashlib.sha256(str(root).encode()).hexdigest()[:12])


def command(folder: PullFolder) -> List[str]:
    """Return the command line of the service."""
    words = [sys.executable, str(folder.application), "pull", "run"]
    return [*words, "--root", str(folder.root)]


def render(folder: PullFolder, *, system: bool) -> str:
    """Return the text of the unit.

    Raises:
        PullError: when a path cannot be written in a unit.
    """
    try:
        words = " ".join(quoted(word).replace("$", "$$") for word in command(folder))
        place = quoted(str(folder.root))[1:-1]
    except ValueError as error:
        raise PullError(str(error)) from None
    target = "multi-user.target" if system else "default.target"
    return _TEXT.format(title=place, command=words, folder=place, target=target)


def start(root: Path) -> str:
    """Install, enable and restart the unit; return its name, or an empty text without systemd.

    Raises:
        PullError: when systemd refuses.
    """
    systemd = _systemd()
    if systemd is None:
        return ""
    name = unit_name(root)
    try:
        systemd.install(name, render(PullFolder(root), system=systemd.system))
        systemd.enable(name)
        systemd.restart(name, wait=False)
    except UnitError as error:
        raise PullError(error.sentence) from None
    return name


def stop(root: Path) -> None:
    """Remove the unit, if there is one.

    Raises:
        PullError: when systemd refuses.
    """
    systemd = _systemd()
    try:
        if systemd is not None:
            systemd.remove(unit_name(root))
    except UnitError as error:
        raise PullError(error.sentence) from None


def installed(root: Path) -> str:
    """Return the name of the installed unit; empty without one."""
    systemd = _systemd()
    return unit_name(root) if systemd is not None and systemd.has(unit_name(root)) else ""


def is_alive(root: Path) -> Optional[bool]:
    """Return whether the unit runs; None without one."""
    systemd = _systemd()
    if systemd is None or not systemd.has(unit_name(root)):
        return None
    try:
        return systemd.state(unit_name(root)).alive
    except UnitError:
        return None


def _systemd() -> Optional[Systemd]:
    if os.environ.get("EDGEWRIGHT_SERVICE") == "process":
        return None
    return Systemd.detect(os.environ)
