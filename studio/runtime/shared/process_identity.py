"""Identity of a process that a later one with the same number lacks, also across a restart."""

from __future__ import annotations

import os


def started(pid: int) -> str:
    """Return a mark that a later process with this number lacks; empty when it is gone."""
    try:
        with open("/proc/{}/stat".format(pid), "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot = file.read().strip()
    except OSError:
        return _exists(pid)
    return "" if fields[0] in (b"Z", b"X") else "{}:{}".format(boot, fields[19].decode())


def _exists(pid: int) -> str:
    """For systems without /proc: whether there is such a process."""
    if os.path.isdir("/proc/self"):
        return ""
    try:
        os.kill(pid, 0)
    except OSError:
        return ""
    return "alive"
