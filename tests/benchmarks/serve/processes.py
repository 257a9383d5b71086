"""The processes of a measurement: those that are told what to do, and the servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
START_S = 120.0


class Told:
    """A module of this package as a process that answers JSON lines."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"tests.benchmarks.serve.{module}", *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip

    def ask(self, **order: Any) -> dict[str, Any]:
        """Give an order, and wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """The next answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the measurement has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it."""
        self._process.communicate()


class Server:
    """A server on one core, in a session of its own."""

    def __init__(
        self,
        command: Sequence[str],
        core: int,
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = folder / "server.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                env={**os.environ, **(environment or {})}, start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            )  # fmt: skip
        self.pid = self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None

    def cpu(self) -> float:
        """CPU seconds of it and of the processes that it has started."""
        return sum(_cpu(pid) for pid in tree(self.pid))

    def memory(self) -> float:
        """Megabytes: all of its largest process, and what the others have for themselves."""
        family = tree(self.pid)
        largest = max(family, key=resident_mb)
        return resident_mb(largest) + sum(private_mb(pid) for pid in family if pid != largest)

    def close(self) -> None:
        """End it and what it has started."""
        family = tree(self.pid)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in family[1:]:
            try:
                if os.getsid(pid) == self.pid:  # not a number that was given away since
                    os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for one in found:
        try:
            tasks = list(Path(f"/proc/{one}/task").iterdir())
            for task in tasks:
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # it has ended meanwhile
            continue
    return found


def _cpu(pid: int) -> float:
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except OSError:
        pass
    return total / 1e9


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in megabytes."""
    return _mapped(pid, "Rss:")


def private_mb(pid: int) -> float:
    """What of it no other process shares, in megabytes."""
    return _mapped(pid, "Private_Clean:", "Private_Dirty:")


def _mapped(pid: int, *names: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(names)) * 1024 / 1e6


def wait_for(condition: Any, what: str, seconds: float = START_S) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: saying what did not come.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)
