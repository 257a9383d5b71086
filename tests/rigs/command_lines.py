"""Command lines of every program that starts below a process, as all users of the machine see them.

strace reports each start, also of programs that end before ``/proc/*/cmdline`` could be read.
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_TRACED = ("-f", "-e", "trace=execve,execveat", "-e", "abbrev=none", "-e", "signal=none")
_CALL = re.compile(r"\bexecve(?:at)?\(")
_STRING = r'"(?:[^"\\]|\\.)*"(?:\.\.\.)?'
# The words end before the environment, which is its user's alone.
_START = re.compile(rf"exec(?:ve|veat)\((?:\w+, )?{_STRING}, \[((?:{_STRING}(?:, )?)*)\]")


@contextmanager
def command_lines(pid: int, log: Path) -> Iterator[list[str]]:
    """Trace a process; at the end the list has the command lines of what it started since."""
    starts: list[str] = []
    tracer = subprocess.Popen(
        ["strace", *_TRACED, "-s", "100000", "-o", str(log), "-p", str(pid)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert tracer.stderr is not None
        if "attached" not in tracer.stderr.readline():
            pytest.skip("strace may not trace here")
        yield starts
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=60)
    lines = [line for line in log.read_text(errors="replace").splitlines() if _CALL.search(line)]
    starts += [match[1] if (match := _START.search(line)) else line for line in lines]
