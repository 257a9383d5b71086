"""Count of the starts of an uncommitted release: after a few, the previous one is served again.

The command that switches watches the new release and then commits it or rolls it back. Should it be
cut off in between (a power cut, a killed process), only the server itself is left: it counts how
often it had to start the release, after a crash or at boot, and rolls back after too many starts.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..shared.records import read

MOST_STARTS = 3
_UNCOMMITTED = ("switch", "soak")
"""As in ``state.UNCOMMITTED``; this module is read by a server that is to stay small."""


class _Pending(NamedTuple):
    """Phase of the release machine, and the pending release."""

    phase: str
    pending: str


class _StartCount(NamedTuple):
    """Number of starts of a release before it was committed."""

    release: str
    starts: int = 0


def before_start(root: Path) -> str:
    """Count a start of the current release, or roll back first; return a line for the log.

    Nothing is done while a command holds the target: that command watches the release itself.
    """
    try:
        now = read(_Pending, json.loads((root / "state.json").read_bytes()))
        if now.phase not in _UNCOMMITTED:
            return ""
        with _alone(root) as alone:
            return _counted(root, now.pending) if alone else ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""  # a server must start also where nothing can be written


def _counted(root: Path, release: str) -> str:
    from ..shared.files import remove, write_atomically

    path = root / "run" / "starts.json"
    starts = _starts(path, release) + 1
    if starts <= MOST_STARTS:
        note = {"release": release, "starts": starts}
        write_atomically(path, json.dumps(note, sort_keys=True).encode())
        return ""
    remove(path)
    return _go_back(root, starts - 1)


def _go_back(root: Path, starts: int) -> str:
    """Make the committed release current again."""
    from .board import Board
    from .server import access
    from .server.server_control import Server
    from .store import state
    from .store.layout import Layout
    from .switch import link

    board = Board(Layout(root), "the server itself")
    now, server = board.state, Server(board.layout)
    board.journal.append(
        "recovered", phase=now.phase, release=now.pending, owner=board.owner, starts=starts
    )
    link(board, now.current)
    kept = access.desired(server.before(), {})
    access.revert(board.layout, kept)
    server.remember(forget=True)
    board.save(now.at(state.IDLE, ""))
    return "{} was never kept and had to be started {} times; {} is served again".format(
        now.pending[:12], starts, now.current[:12] or "nothing"
    )


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[bool]:
    """Hold the lock of the commands, if none holds it."""
    handle = os.open(str(root / "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(handle)


def _starts(path: Path, release: str) -> int:
    try:
        note = read(_StartCount, json.loads(path.read_bytes()))
        return note.starts if note.release == release else 0
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0
