"""Sensors of disturbances: clock, temperature, throttling and stolen time, where available."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass

CLOCK_CHANGE = 0.05
"""A round in which the clock differs by more than 5 % is spoiled."""

STOLEN_SHARE = 0.01
"""A round in which a hypervisor took more than 1 % of the processor time is spoiled."""

_PI_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_PI_THROTTLED_NOW = 0xF


@dataclass(frozen=True)
class Reading:
    """Sample of the machine's sensors; None where it has no such sensor.

    Attributes:
        stolen, total: Ticks since the start of the machine, over all processors.
        throttles: Count of throttle events, or the flags in force.
    """

    clock_mhz: float | None = None
    temperature_c: float | None = None
    stolen: int = 0
    total: int = 0
    throttles: int = 0


class Sensors:
    """Sensors in /sys and /proc, read without privilege."""

    def __init__(self, root: str = "/") -> None:
        self._root = root
        self._clocks = self._find("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")
        self._zones = self._find("sys/class/thermal/thermal_zone*/temp")
        self._counts = self._find(
            "sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count"
        )

    def read(self) -> Reading:
        """Read the sensors."""
        clocks = [value for value in map(_number, self._clocks) if value]
        zones = [value for value in map(_number, self._zones) if value and value > 0]
        stolen, total = self._ticks()
        return Reading(
            clock_mhz=max(clocks) / 1e3 if clocks else None,
            temperature_c=max(zones) / 1e3 if zones else None,
            stolen=stolen,
            total=total,
            throttles=sum(_number(path) or 0 for path in self._counts) + self._pi_flags(),
        )

    def _find(self, pattern: str) -> list[str]:
        return sorted(glob.glob(os.path.join(self._root, pattern)))

    def _ticks(self) -> tuple[int, int]:
        """Return stolen and all ticks, from the first line of /proc/stat."""
        try:
            with open(os.path.join(self._root, "proc/stat")) as stat:
                values = [int(text) for text in stat.readline().split()[1:9]]
            return values[7], sum(values)
        except (OSError, ValueError, IndexError):
            return 0, 0

    def _pi_flags(self) -> int:
        try:
            with open(os.path.join(self._root, _PI_THROTTLED)) as flags:
                return int(flags.read().strip(), 16) & _PI_THROTTLED_NOW
        except (OSError, ValueError):
            return 0


def spoils(readings: list[Reading]) -> list[str]:
    """Return why a round cannot be used, from the readings at its start and after each block."""
    reasons = []
    clocks = [each.clock_mhz for each in readings if each.clock_mhz]
    if clocks and max(clocks) > min(clocks) * (1 + CLOCK_CHANGE):
        reasons.append("clock changed")
    if any(each.throttles != readings[0].throttles for each in readings):
        reasons.append("throttled")
    first, last = readings[0], readings[-1]
    stolen, total = last.stolen - first.stolen, last.total - first.total
    # A single tick is the resolution of the counter, not a finding.
    if stolen >= 2 and stolen > STOLEN_SHARE * total:
        reasons.append("stolen time")
    return reasons


def _number(path: str) -> int | None:
    try:
        with open(path) as stream:
            return int(stream.read())
    except (OSError, ValueError):
        return None
