"""The holder of a machine's reservation: a process with a lock, as long as its owner is heard.

It is sent to the machine as a text and run by any Python from 3.8 on, so it imports the standard
library alone. Standard input brings a byte every few seconds. The lock ends with this process:
when the input ends, when nothing came for the patience, at a kill and at a restart of the machine.
The clock of the machine plays no part in it, however wrong it is. A benchmark whose owner is gone
is ended before the machine is given back.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
import re
import select
import signal
import sys
import time
from typing import Any, Dict, List, Sequence

_LOOK_S = 0.5
_ENDED_S = 5.0
_MOST = 4096
"""Bytes of an owner's line that are read."""


class MachineLock:
    """The lock of a machine, and the input that keeps it.

    Args:
        folder: Folder of the studio on the machine.
        patience: Seconds without a byte after which the owner counts as gone.
    """

    def __init__(self, folder: str, patience: float) -> None:
        self._patience = patience
        self._heard = time.monotonic()
        self._benchmarks = os.fsencode(os.path.join(folder, "bench-"))
        os.makedirs(folder, exist_ok=True)
        # Boards may share one home folder, so each has a file of its own.
        name = "reserved-" + re.sub(r"[^A-Za-z0-9.-]", "_", platform.node())[:64]
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(os.path.join(folder, name), flags, 0o600)

    def take(self, owner: str, wait: float) -> bool:
        """Take the lock, or wait for it; False when it is not had in time.

        What the same user has left behind a broken link is given back soon, and waited for.
        """
        began = time.monotonic()
        while not self._locked():
            other = self._owner()
            own = is_left_behind(other, owner)
            seconds = max(0.0, time.time() - self._since())
            say("busy", owner=other, seconds=seconds, own=own)
            longest = max(wait, self._patience + 3 * _ENDED_S) if own else wait
            left = began + longest - time.monotonic()
            if left <= 0 or not self.hears(min(left, _LOOK_S)):
                return False
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, owner.encode("utf-8", "replace")[:_MOST], 0)
        return True

    def hears(self, seconds: float) -> bool:
        """Listen for a while; False when the owner is gone."""
        if select.select([0], [], [], seconds)[0]:
            self._heard = time.monotonic()
            return bool(os.read(0, _MOST))
        return time.monotonic() - self._heard < self._patience

    def hold(self) -> None:
        """Keep the lock until the owner is gone."""
        while self.hears(self._patience):
            say("held")

    def end_benchmarks(self) -> None:
        """End what the owner has left behind; at a usual end that is nothing."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + _ENDED_S
            while self._signalled(sign) and time.monotonic() < deadline:
                time.sleep(_LOOK_S)

    def _signalled(self, sign: int) -> bool:
        """Send a signal to the benchmarks of this folder; False when there are none."""
        found = False
        for process in _processes():
            try:
                with open("/proc/{}/cmdline".format(process), "rb") as file:
                    words = file.read().split(b"\0")
                if any(word.startswith(self._benchmarks) for word in words):
                    os.kill(process, sign)
                    found = True
            except OSError:  # it has ended, or is of another user
                continue
        return found

    def _locked(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise
        return True

    def _owner(self) -> str:
        return os.pread(self._file, _MOST, 0).decode("utf-8", "replace")

    def _since(self) -> float:
        return os.fstat(self._file).st_mtime


def _processes() -> List[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def is_left_behind(holder: str, owner: str) -> bool:
    """Return whether an owner's line is of the same user, and not of this study's other boards."""
    user, study, target = _named(holder)
    same_user, same_study, same_target = _named(owner)
    if not user or user != same_user:
        return False
    return not study or study != same_study or target == same_target


def _named(line: str) -> List[str]:
    """Return owner, study and board of a line; empty for a line of anything else."""
    try:
        document = json.loads(line)
        return [str(document[name]) for name in ("owner", "study", "target")]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ["", "", ""]


def say(state: str, **values: Any) -> None:
    """Write one line of JSON."""
    line: Dict[str, Any] = {"state": state}
    line.update(values)
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _keep(holder: MachineLock) -> None:
    try:
        say("held")
        holder.hold()
    except BrokenPipeError:
        pass
    holder.end_benchmarks()
    # The flush at a usual end would fail where no process reads the output any more.
    os._exit(0)


def main(words: Sequence[str]) -> int:
    """Reserve the machine: FOLDER OWNER WAIT PATIENCE; returns the exit code."""
    folder, owner, wait, patience = words
    try:
        holder = MachineLock(folder, float(patience))
        if not holder.take(owner, float(wait)):
            return 1
        _keep(holder)
    except OSError as error:
        say("failed", reason=error.strerror or str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
