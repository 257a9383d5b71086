"""A record of the machine that was measured on."""

from __future__ import annotations

import contextlib
import os
import platform
import sys

import numpy

from ...shared.threads import usable_cores
from ..facts import Environment, MachineState
from . import board
from .board import cpu_name
from .rails import find_rails

__all__ = ["at_the_end", "cpu_name", "environment", "usable_cores"]


def environment(root: str = "/") -> Environment:
    """What a reader needs to judge the numbers."""
    return Environment(
        cpu=cpu_name(root),
        arch=platform.machine(),
        board=board.board_name(root),
        cores=os.cpu_count(),
        usable_cores=usable_cores(),
        governor=_text(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        kernel=platform.release(),
        os=_os_name(root),
        python=platform.python_version(),
        numpy=numpy.__version__,
        memory_mb=_memory_mb(root),
        platform=sys.platform,
        energy_sensors=tuple(f"{rail.source} {rail.name}" for rail in find_rails(root).rails),
        jetson=board.jetson(root),
        turbo=board.turbo(root),
        virtual=board.virtual(root),
        cpu_quota=board.quota(_text(root, "sys/fs/cgroup/cpu.max") or ""),
        **vars(at_the_end(root)),
    )


def at_the_end(root: str = "/") -> MachineState:
    """What may change: the load, and how hot and throttled the machine is."""
    return MachineState(
        throttle=board.throttle(root),
        zones=board.zones(root),
        accelerators=board.accelerators(root),
        supply=board.supply(root),
        power_mode=board.mode(root),
        governors=board.governors(root),
        load=_load(),
    )


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
