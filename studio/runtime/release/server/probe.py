"""PROBE: a staged release must answer its golden samples in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from ...shared.errors import ReleaseError
from ...shared.files import write_atomically
from ..board import Board
from ..store import state
from .server_control import command, environment

_SECONDS = 120.0


def probe(board: Board, request: Mapping[str, Any]) -> dict[str, Any]:
    """Load a staged release beside what is served and compare its answers.

    Args:
        request: ``release`` (digest), ``budget_ms`` (largest median latency, optional),
            ``seconds`` (longest time, optional).

    Raises:
        ReleaseError: when it does not load, answers otherwise, or is too slow.
    """
    what = board.manifest(str(request["release"]))
    board.save(board.state.at(state.PROBE, what.digest))
    start = time.monotonic()
    try:
        found = _try(board, what.digest, float(request.get("seconds") or _SECONDS))
        _judge(found, request.get("budget_ms"))
    except ReleaseError as error:
        entry = board.note(what, "failed", reason=error.message)
        board.save(board.state.at(state.IDLE, "").noted(entry))
        raise
    found["probe_s"] = time.monotonic() - start
    _remember(board, what.digest, found["probe_s"])
    board.save(board.state.at(state.IDLE, what.digest))
    return found


def _remember(board: Board, digest: str, seconds: float) -> None:
    """Keep how long it took: a server of this release needs about as long until it is ready."""
    binding = dict(board.binding(digest), probe_s=round(seconds, 3))
    write_atomically(board.layout.binding(digest), json.dumps(binding, sort_keys=True).encode())


def _try(board: Board, digest: str, seconds: float) -> dict[str, Any]:
    layout = board.layout
    words = [*command(layout, board.binding(digest)), "release", "try", "--root", str(layout.root)]
    try:
        child = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
    except OSError as error:  # of another architecture, say
        raise _failed("{} cannot be run ({})".format(words[0], error.strerror)) from None
    try:
        out, err = child.communicate(json.dumps({"release": digest}).encode(), seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise _failed("it gave no answer within {:g} s".format(seconds)) from None
    tail = err.decode("utf-8", "replace")[-4000:]
    if child.returncode < 0:
        raise _failed("it was ended by {}".format(_signal(-child.returncode)), tail)
    try:
        last = json.loads(out.splitlines()[-1])
    except (ValueError, IndexError):
        raise _failed("it ended with status {}".format(child.returncode), tail) from None
    if last.pop("event") == "error":
        raise ReleaseError(last["code"], last["message"], last["hint"], last["detail"] or tail)
    return dict(last)


def _judge(found: Mapping[str, Any], budget_ms: Any) -> None:
    if found["mismatches"]:
        raise _failed(
            "{} of {} golden samples differ (largest error {:.3g}, allowed {:.3g})".format(
                found["mismatches"], found["samples"], found["max_error"], found["atol"]
            )
        )
    if budget_ms and found["latency_ms"] > float(budget_ms):
        raise _failed(
            "latency {:.2f} ms exceeds the budget of {:.2f} ms".format(
                found["latency_ms"], float(budget_ms)
            )
        )


def _failed(reason: str, detail: str = "") -> ReleaseError:
    return ReleaseError(
        "probe-failed",
        "The release failed its test on the target: {}.".format(reason),
        "The previous release is still running.",
        detail,
    )


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal {}".format(number)
