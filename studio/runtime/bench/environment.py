"""A record of the machine that was measured on."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from typing import Any

import numpy

from .board import board
from .rails import find_rails

_PRODUCT = "sys/class/dmi/id/product_name"


def environment(root: str = "/") -> dict[str, Any]:
    """What a reader needs to judge the numbers; None where the machine does not tell."""
    return {  # beside the keys of ``board``
        "cpu": cpu_name(root),
        "arch": platform.machine(),
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
        "board": _text(root, "proc/device-tree/model") or _text(root, _PRODUCT),
    }


def at_the_end(root: str = "/") -> dict[str, Any]:
    """What may have changed since: the load, and how hot and throttled the machine became."""
    found = board(root)
    changing = ("throttle", "zones", "accelerators", "supply", "power_mode", "governors")
    return dict({key: found[key] for key in changing}, load=_load())


def cpu_name(root: str = "/") -> str:
    """Name of the processor; ARM boards give it in other places than PCs."""
    with contextlib.suppress(OSError), open(os.path.join(root, "proc/cpuinfo")) as info:
        found: dict[str, str] = {}
        for line in info:
            key, _, value = line.partition(":")
            found.setdefault(key.strip(), value.strip())
        for key in ("model name", "Hardware", "Model", "cpu model"):
            if found.get(key):
                return found[key]
        if "CPU part" in found:
            return f"implementer {found.get('CPU implementer')} part {found['CPU part']}"
    return platform.processor() or platform.machine()


def usable_cores() -> int:
    """Cores that this process may run on."""
    with contextlib.suppress(AttributeError, OSError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
