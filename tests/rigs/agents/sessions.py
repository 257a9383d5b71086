"""Sessions of an agent with ``studio mcp``, and a person at a terminal of their own."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OBEDIENT = Path(__file__).with_name("obedient.py")
STUDIO = (sys.executable, "-m", "studio.cli.main")
_PATIENCE_S = 120.0


class Agent:
    """A running agent."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def order(self, **order: Any) -> Any:
        """Give an order and return what came of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the agent has ended"
        return json.loads(line)

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool."""
        done: dict[str, Any] = self.order(call=name, arguments=arguments)
        return done


@contextmanager
def agent(python: Path, environment: Mapping[str, str], home: Path) -> Iterator[Agent]:
    """An agent that talks to a server of its own."""
    process = subprocess.Popen(
        [str(python), str(OBEDIENT), *STUDIO, "mcp"],
        env=dict(environment),
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Agent(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(_PATIENCE_S)
        if process.stdout is not None:
            process.stdout.close()


def at_terminal(
    words: list[str], typed: str, environment: Mapping[str, str], question: str = "to approve:"
) -> tuple[int, str]:
    """Run a command at a pseudo-terminal and type an answer to its question.

    Returns:
        The exit code, and all that was shown.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [*STUDIO, *words], dict(environment))
    shown, end, has_typed = b"", time.monotonic() + _PATIENCE_S, False
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                part = os.read(terminal, 4096)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            shown += part
        if question.encode() in shown and not has_typed:
            os.write(terminal, typed.encode() + b"\n")
            has_typed = True
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode("utf-8", "replace")


def approve(digest: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Approve a plan as a person who has read it."""
    return at_terminal(["plan", "approve", digest], digest[:8], environment)
