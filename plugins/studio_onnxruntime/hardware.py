"""Instructions of the processor for arithmetic on bytes."""

from __future__ import annotations

import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def is_arm() -> bool:
    """Return whether this machine is an Arm one, whose kernels like signed activations best."""
    return platform.machine().lower() in ("aarch64", "arm64", "armv7l", "armv8l")


_KERNELS = {
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX VNNI",
    "amx_int8": "AMX",
    "i8mm": "i8mm",
    "asimddp": "dot product",
}
"""Processor flags of arithmetic on bytes, as Linux spells them, and what people call them."""


def kernels(cpuinfo: Path = _CPUINFO) -> tuple[str, ...]:
    """Return the instructions that speed up arithmetic on bytes, or "" if none are known."""
    found = set(_flags(cpuinfo))
    return tuple(title for flag, title in _KERNELS.items() if flag in found)


def _flags(cpuinfo: Path) -> list[str]:
    """Return the feature flags of the first processor (``flags`` on x86, ``Features`` on Arm)."""
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    lines = (line for line in text.splitlines() if line.startswith(("flags", "Features")))
    return next(lines, "").split()


def saturates(cpuinfo: Path = _CPUINFO) -> bool:
    """Return whether products of bytes are summed in 16 bits, where two large ones overflow.

    True of x86 without VNNI, where weights need a bit less to be safe.
    """
    if is_arm():
        return False
    return not {"avx512_vnni", "avx_vnni"} & set(_flags(cpuinfo))
