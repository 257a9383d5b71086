"""The user of this computer, for records and for the rights that a user has."""

from __future__ import annotations

import getpass
import os
import platform
from pathlib import Path

_NO_LOGIN = 0xFFFFFFFF
"""The number of a process that no login started, such as a service (see pam_loginuid(8))."""


def user_name() -> str:
    """Return the user's name; empty where the system has none, as in a bare container."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def user_id() -> int:
    """Return the number of the user who logged in, also after ``su`` and ``sudo``."""
    try:
        login = int(Path("/proc/self/loginuid").read_text("ascii"))
    except (OSError, ValueError):
        return os.getuid()
    return os.getuid() if login == _NO_LOGIN else login


def owner() -> str:
    """Return the operator for the record of a target: ``ann@workstation``."""
    return f"{user_name() or 'unknown'}@{platform.node() or 'unknown'}"
