"""A long way to a board: two TUN devices whose packets this program carries, each after a while.

No kernel module is asked for a delay, so that the rig runs where netem does not.

    python -m tests.rigs.delay PID HERE THERE ONE_WAY_MS [MBIT]

joins this network namespace (address HERE) with that of the process PID (address THERE).
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SET_INTERFACE = 0x400454CA
_TUN_WITHOUT_HEADER = 0x1001
_MTU = 1500
_BURST = 64
_QUEUE_S = 0.2
"""More than this waiting for a slow link is dropped, as a router does."""


class Carrier:
    """Carries the packets of one link.

    Attributes:
        address: The board's at the far end.
    """

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self.address = address
        self._process = process

    def stall(self) -> None:
        """Carry nothing; what is sent waits, as with a modem that has lost its cell."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Carry what has waited, and all else."""
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def carrier(
    pid: int, prefix: str, one_way_ms: float, mbit: float = 0.0, start: int = 0
) -> Iterator[Carrier]:
    """A link to a board's namespace, from this one or from that of another process."""
    here, there = f"{prefix}.1", f"{prefix}.2"
    words = [str(pid), here, there, str(one_way_ms), str(mbit)]
    inside = ["nsenter", "--target", str(start), "--net"] if start else []
    process = subprocess.Popen(
        [*inside, sys.executable, "-m", "tests.rigs.delay", *words], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        yield Carrier(process, there)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def long_way(pid: int, prefix: str, one_way_ms: float, mbit: float = 0.0) -> Iterator[str]:
    """A link to a board's namespace; its address there."""
    with carrier(pid, prefix, one_way_ms, mbit) as found:
        yield found.address


def main(words: list[str]) -> None:
    """Carry packets until killed."""
    pid, here, there = int(words[0]), words[1], words[2]
    delay, rate = float(words[3]) / 1e3, float(words[4]) * 1e6 / 8
    ours = _device("ewlong", here, there)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    _enter(f"/proc/{pid}/ns/net")
    theirs = _device("ewlong", there, here)
    _enter_handle(home)
    print("up", flush=True)
    _carry({ours: theirs, theirs: ours}, delay, rate)


def _carry(other: dict[int, int], delay: float, rate: float) -> None:
    queue: list[tuple[float, int, int, bytes]] = []
    busy = dict.fromkeys(other, 0.0)
    count = 0
    while True:
        wait = max(0.0, queue[0][0] - time.monotonic()) if queue else 1.0
        for source in select.select(list(other), [], [], wait)[0]:
            for _ in range(_BURST):
                try:
                    packet = os.read(source, 65536)
                except BlockingIOError:
                    break
                now = time.monotonic()
                leaves = max(now, busy[source])
                if rate:
                    if leaves - now > _QUEUE_S:
                        continue
                    leaves += len(packet) / rate
                    busy[source] = leaves
                count += 1
                heapq.heappush(queue, (leaves + delay, count, other[source], packet))
        now = time.monotonic()
        while queue and queue[0][0] <= now:
            _, _, target, packet = heapq.heappop(queue)
            try:
                os.write(target, packet)
            except OSError:
                pass  # the other side is gone


def _device(name: str, address: str, peer: str) -> int:
    handle = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(handle, _SET_INTERFACE, struct.pack("16sH", name.encode(), _TUN_WITHOUT_HEADER))
    for command in (
        f"ip addr add {address} peer {peer} dev {name}",
        f"ip link set {name} mtu {_MTU} txqueuelen 5000 up",
    ):
        subprocess.run(command.split(), check=True)
    return handle


def _enter(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    _enter_handle(handle)
    os.close(handle)


def _enter_handle(handle: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(handle, 0):
        raise OSError(ctypes.get_errno(), "setns")


if __name__ == "__main__":
    main(sys.argv[1:])
