"""The verbs of ``release``: a JSON request on standard input, JSON lines on standard output."""

from __future__ import annotations

import errno
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from ..shared.errors import LoadError, ReleaseError, is_out_of_memory, no_memory
from ..shared.files import digest_of, free_bytes, megabytes, remove
from ..shared.records import read
from .board import Board
from .intake.source import Source
from .store import disk_reserve as reserve
from .store import state
from .store.latest_releases import to_json
from .store.layout import Layout
from .store.lease import acquire, give_back, locked, refuse_others, renew


class _Caller(NamedTuple):
    """Identity of the caller in a request.

    Attributes:
        owner: Name of the operator, for the history.
        token: Shown by the commands of one deploy.
        release: The release that is deployed.
        purge: Whether a removal frees the disk as well.
    """

    owner: str = "unknown"
    token: str = ""
    release: str = ""
    purge: bool = False


def main(arguments: list[str]) -> int:
    """Run one verb; the last line is its ``result`` or its ``error``."""
    # Parsed by hand, so that few modules are loaded: each verb is a process of its own.
    if len(arguments) != 3 or arguments[0] not in _VERBS or arguments[1] != "--root":
        print("usage: release VERB --root FOLDER; verbs: " + ", ".join(_VERBS), file=sys.stderr)
        return 2
    verb = arguments[0]
    # A connection that is lost must not stop a switch half way.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    layout = Layout(Path(os.path.abspath(arguments[2])))
    try:
        source = Source()
        request = _request(verb, source)
        result = _run(verb, layout, request, source)
    except Exception as error:  # the studio reads one JSON line, never a traceback
        _print(dict(_failure(error, layout), event="error"))
        return 1
    _print(dict(result, event="result"))
    return 0


def _request(verb: str, source: Source) -> Mapping[str, object]:
    line = source.line()
    if not line and verb != "status":
        # The link was cut before the request: to continue would acquire the lease for no operator.
        raise ReleaseError("cut-off", "The connection ended before the request had arrived.")
    found: Mapping[str, object] = json.loads(line or b"{}")
    return found


def _run(
    verb: str, layout: Layout, request: Mapping[str, object], source: Source
) -> dict[str, object]:
    if verb == "try":
        from .trial.golden_check import run_trial

        return run_trial(layout, request)
    owner = read(_Caller, request).owner
    if verb == "status":
        return _status(Board(layout, owner), request)
    layout.make()
    if verb in _STREAMED:
        with locked(layout):
            _admit(layout, request, owner)
        return _work_of(verb)(layout, request, source, Board(layout, owner).emit)
    with locked(layout):
        _admit(layout, {} if verb == "begin" else request, owner)
        if verb in _WAYS_BACK:
            reserve.give_up(layout)
        board = Board(layout, owner)
        if verb in ("begin", "rollback", "remove", "start", "stop"):
            _recover(board)
        return dict(_work_of(verb)(board, request))


def _admit(layout: Layout, request: Mapping[str, object], owner: str) -> None:
    token = read(_Caller, request).token
    if token:
        renew(layout, token)
    else:
        refuse_others(layout, owner)


def _recover(board: Board) -> None:
    """Undo what an interrupted command left, if one was."""
    if board.state.phase != state.IDLE or board.state.current != board.layout.linked():
        from .switch import recover

        recover(board)


def _work_of(verb: str) -> Callable[..., dict[str, object]]:
    """Return the function of a verb; imported late, as a small board loads modules slowly."""
    module, _, name = _VERBS[verb].partition(":")
    work: Callable[..., dict[str, object]] = getattr(
        importlib.import_module("." + module, __package__), name
    )
    return work


def _begin(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Acquire the lease of the target, for one release."""
    token = acquire(board.layout, board.owner)
    board.save(board.state.at(state.RECEIVE, read(_Caller, request).release))
    return {
        "token": token,
        "counter": board.state.counter,
        "lines": to_json(board.state.lines),
        "current": board.state.current,
        "signed_only": board.layout.allowed_signers() is not None,
    }


def _end(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Release the lease; what was received or refused before a switch is no work under way."""
    if board.state.phase not in (state.IDLE, *state.UNCOMMITTED):
        board.save(board.state.at(state.IDLE, ""))
    give_back(board.layout, read(_Caller, request).token)
    return {}


def _status(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Return the releases and the state of the server; changes nothing, needs no lock."""
    from .server.server_control import Server

    server, now = Server(board.layout), board.state
    running = server.runs()
    return {
        "phase": now.phase,
        "current": now.current,
        "previous": now.previous,
        "counter": now.counter,
        "lines": to_json(now.lines),
        "history": list(now.history),
        "releases": [
            {"release": one.digest, "version": one.version, "name": one.name}
            for one in board.staged()
        ],
        "running": running,
        "server": server.report() if running else {},
        "service": server.manager() if now.current else {},
        "free": free_bytes(board.layout.root) if board.layout.root.is_dir() else 0,
        "runtime": digest_of(Path(sys.argv[0])) if os.path.isfile(sys.argv[0]) else "",
        "log_broken_at": board.journal.broken_at(),
        "signed_only": board.layout.allowed_signers() is not None,
    }


def _remove(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Stop serving; with ``purge``, free the disk as well."""
    from ..decisions import config as decisions
    from ..fleet import settings as fleet
    from .cleanup import collect
    from .switch import withdraw

    done = withdraw(board, request)
    if read(_Caller, request).purge:
        board.journal.append("purged", owner=board.owner)
        board.save(state.ReleaseState(history=board.state.history))
        layout = board.layout
        app = layout.run / "app"  # events that no sink has taken
        record = (layout.run / decisions.FILE, layout.run / decisions.FOLDER)
        own = (layout.access, layout.service, layout.server, layout.reserve)
        for path in (*own, *record, layout.app_variables, layout.run / fleet.FOLDER, app):
            remove(path)
        done.update(collect(board))  # also this application: all of it is loaded by now
    return done


def _collect(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    from .cleanup import collect

    done = collect(board, _own_name())
    reserve.make(board.layout)
    return done


def _log(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Return the whole record, and whether its chain is intact."""
    return {"entries": board.journal.entries(), "broken_at": board.journal.broken_at()}


def _own_name() -> str:
    return os.path.basename(sys.argv[0])


def _failure(error: Exception, layout: Layout) -> dict[str, str]:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = megabytes(free_bytes(layout.root)) if layout.root.is_dir() else "nothing"
        error = ReleaseError(
            "no-space",
            "The disk of this target is full ({} is free below {}).".format(free, layout.root),
            "Free disk space and deploy again. Uploaded files are kept.",
        )
    elif isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        error = ReleaseError(
            "not-writable",
            "{} cannot be written on this target: {}.".format(error.filename, error.strerror),
            "Choose another folder for this target's releases.",
        )
    if isinstance(error, ReleaseError):
        found = error
    elif is_out_of_memory(error):
        found = no_memory()
    elif isinstance(error, LoadError):
        found = ReleaseError("not-loaded", str(error))
    elif isinstance(error, (KeyError, ValueError, TypeError)):
        found = ReleaseError("bad-request", "The request cannot be used: {!r}.".format(error))
        found.detail = _trace()
    else:
        found = ReleaseError("internal", "The release machine failed: {!r}.".format(error))
        found.detail = _trace()
    return {
        "code": found.code,
        "message": found.message,
        "hint": found.hint,
        "detail": found.detail,
    }


def _trace() -> str:
    import traceback

    return traceback.format_exc()[-4000:]


def _print(line: Mapping[str, object]) -> None:
    try:
        os.write(1, json.dumps(line, sort_keys=True).encode() + b"\n")
    except OSError:
        pass  # the reader has left; the state file contains the outcome


_VERBS: dict[str, str] = {
    "begin": "command:_begin",
    "certify": "server.access:certify",
    "decisions": "decisions:page",
    "end": "command:_end",
    "forget": "decisions:forget_content",
    "gc": "command:_collect",
    "install": "intake.environment:install",
    "log": "command:_log",
    "missing": "intake.receive:missing",
    "probe": "server.probe:probe",
    "receive": "intake.receive:receive",
    "remove": "command:_remove",
    "rollback": "switch:rollback",
    "set-fleet": "server.fleet:set_fleet",
    "set-variables": "server.app_variables:set_variables",
    "stage": "intake.stage:stage",
    "start": "switch:start_current",
    "status": "command:_status",
    "stop": "switch:stop_current",
    "switch": "switch:switch",
    "transfer": "intake.receive:transfer",
    "trust": "intake.signature:trust",
    "try": "trial.golden_check:run_trial",
    "variables": "server.app_variables:variables",
}
"""Module and function of each."""

_WAYS_BACK = ("begin", "end", "gc", "remove", "rollback", "start", "stop")
"""Must work on a full disk: they serve again what is there, or free room."""

_STREAMED = ("receive", "transfer")
"""Read files after their request, and hold no lock meanwhile."""
