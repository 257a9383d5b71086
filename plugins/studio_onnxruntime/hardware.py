"""What the processor offers for arithmetic on bytes."""

from __future__ import annotations

import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def is_arm() -> bool:
    """Whether this machine is an Arm one, whose kernels like signed activations best."""
    return platform.machine().lower() in ("aarch64", "arm64", "armv7l", "armv8l")


def saturates(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether products of bytes are summed in 16 bits, where two large ones overflow.

    True of x86 without VNNI, where weights need a bit less to be safe.
    """
    if is_arm():
        return False
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return True
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    return not {"avx512_vnni", "avx_vnni"} & set(flags)
