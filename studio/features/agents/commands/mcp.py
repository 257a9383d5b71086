"""``studio mcp``: a server of the Model Context Protocol on standard input and output."""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable
from types import FrameType

from studio.workspace import Workspace

DISCONNECTED = "The client of studio mcp disconnected."
ENDED = "The server studio mcp was ended."
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
_CLOSED = getattr(select, "POLLRDHUP", 0)
"""The other side of a socket sends nothing more; pipes have no such state."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    text = "offer only the tools that read, and no plans"
    parser.add_argument("--read-only", action="store_true", help=text)


def run(arguments: argparse.Namespace) -> int:
    """Serve until standard input ends; a step that still runs is then cancelled."""
    from studio.features.agents.server import serve

    # Standard output itself: the stream of commands would alter the protocol's texts.
    source, out = os.fdopen(0, "rb", closefd=False), os.fdopen(1, "wb", closefd=False)
    with Workspace.open() as opened:
        opened.set_source("agent")
        signals = _end_on_signals(opened)
        _call_when_closed(0, lambda: opened.plans.stop(DISCONNECTED))
        # Answers to a client that is gone have no reader.
        with contextlib.suppress(BrokenPipeError), out:
            serve(opened, source, out, read_only=arguments.read_only)
        opened.plans.stop(DISCONNECTED)
    return 128 + signals[0] if signals else 0


def _end_on_signals(opened: Workspace) -> list[int]:
    """Let SIGTERM and SIGHUP end the input; both would end the process at once.

    Returns:
        The signals that came, as they come.
    """
    came: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        opened.plans.stop(ENDED)
        # No exception: it could leave a plan between its start and the record of it.
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    return came


def _call_when_closed(descriptor: int, call: Callable[[], object]) -> None:
    """Call when the other side of a pipe or socket is closed, also while an answer is made.

    The end of the input itself is read only after the answers to all requests before it.
    """
    poll = select.poll()
    poll.register(descriptor, _CLOSED)

    def is_closed(patience_ms: int | None) -> bool:
        return any(flags & (_GONE | _CLOSED) for _, flags in poll.poll(patience_ms))

    def watch() -> None:
        while not is_closed(None):
            pass
        call()

    if is_closed(0):  # before the first request is read
        call()
        return
    threading.Thread(target=watch, name="client", daemon=True).start()
