"""A record of the machine that was measured on."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from typing import Any

import numpy

from ...shared.threads import usable_cores
from .board import board, cpu_name, identity
from .rails import find_rails

__all__ = ["at_the_end", "cpu_name", "environment", "usable_cores"]


def environment(root: str = "/") -> dict[str, Any]:
    """What a reader needs to judge the numbers; None where the machine does not tell."""
    return {  # beside the keys of ``board``
        **identity(root),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "governor": _text(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "kernel": platform.release(),
        "os": _os_name(root),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "memory_mb": _memory_mb(root),
        "load": _load(),
        "platform": sys.platform,
        "energy_sensors": [f"{rail.source} {rail.name}" for rail in find_rails(root).rails],
        **board(root),
    }


def at_the_end(root: str = "/") -> dict[str, Any]:
    """What may have changed since: the load, and how hot and throttled the machine became."""
    found = board(root)
    changing = ("throttle", "zones", "accelerators", "supply", "power_mode", "governors")
    return dict({key: found[key] for key in changing}, load=_load())


def _text(root: str, path: str) -> str | None:
    try:
        with open(os.path.join(root, path), encoding="utf-8") as stream:
            return stream.read().strip("\0\n ") or None
    except (OSError, UnicodeDecodeError):
        return None


def _os_name(root: str) -> str:
    release = _text(root, "etc/os-release") or ""
    for line in release.splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return platform.system()


def _memory_mb(root: str) -> int | None:
    for line in (_text(root, "proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return None


def _load() -> float | None:
    """Average of runnable processes over the last minute."""
    with contextlib.suppress(OSError, AttributeError):
        return round(os.getloadavg()[0], 2)
    return None
