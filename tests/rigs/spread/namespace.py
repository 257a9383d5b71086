"""A network of its own with a loopback device alone: what listens there is reached from nowhere."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOLD = "ip link set lo up && ip addr add 198.18.255.1/32 dev lo && echo up && exec sleep infinity"
"""Daemons look up no address where no device has one besides those of the loopback."""


@contextmanager
def loopback_network() -> Iterator[list[str]]:
    """Yield the words that put a command into a new network."""
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c", _HOLD], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"up\n", "no network namespace can be made"
        yield ["nsenter", "--target", str(holder.pid), "--net"]
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def kill_family(process: int) -> None:
    """Kill a process with all that came from it, as a machine that loses its power."""
    family = [process]
    for one in family:
        os.kill(one, signal.SIGSTOP)  # it makes no child any more
        family += _children(one)
    for one in family:
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _children(process: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        found += map(int, (thread / "children").read_text().split())
    return found
