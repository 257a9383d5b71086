"""The user of this computer, for records and for the rights that a user has."""

from __future__ import annotations

import getpass
import platform


def user_name() -> str:
    """Return the user's name; empty where the system has none, as in a bare container."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def owner() -> str:
    """Return the operator for the record of a target: ``ann@workstation``."""
    return f"{user_name() or 'unknown'}@{platform.node() or 'unknown'}"
