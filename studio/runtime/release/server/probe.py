"""PROBE: a staged release must answer its golden samples in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import NamedTuple, Optional

from ...shared.errors import ReleaseError, no_memory, reports_no_memory
from ...shared.files import write_atomically
from ...shared.records import read
from ..board import Board
from ..store import state
from .server_control import Server, StartedService, command, environment

_SECONDS = 120.0


class ProbeRequest(NamedTuple):
    """Release that is to be probed.

    Attributes:
        budget_ms: Largest median latency; None for no limit.
        seconds: Longest time.
        providers: Execution providers; None for those of the running server.
    """

    release: str
    budget_ms: Optional[float] = None
    seconds: float = _SECONDS
    providers: Optional[str] = None


class TrialAnswer(NamedTuple):
    """Result of a release's golden samples in a trial process."""

    samples: int = 0
    mismatches: int = 0
    max_error: float = 0.0
    atol: float = 0.0
    latency_ms: float = 0.0


class _Ended(NamedTuple):
    """Last line of the process that has tried a release."""

    event: str
    code: str = ""
    message: str = ""
    hint: str = ""
    detail: str = ""


def probe(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Load a staged release next to the served one and compare its answers.

    Args:
        request: A ``ProbeRequest`` in JSON form.

    Raises:
        ReleaseError: when it does not load, answers otherwise, or is too slow.
    """
    asked = read(ProbeRequest, request)
    what = board.manifest(asked.release)
    board.save(board.state.at(state.PROBE, what.digest))
    start = time.monotonic()
    try:
        providers = read(StartedService, Server(board.layout).service()).providers
        if asked.providers is not None:
            providers = asked.providers
        answer = _try(board, what.digest, asked.seconds or _SECONDS, providers)
        _judge(read(TrialAnswer, answer), asked.budget_ms)
    except ReleaseError as error:
        entry = board.note(what, "failed", reason=error.message)
        board.save(board.state.at(state.IDLE, "").noted(entry))
        raise
    seconds = time.monotonic() - start
    _remember(board, what.digest, seconds)
    board.save(board.state.at(state.IDLE, what.digest))
    return dict(answer, probe_s=seconds)


def _remember(board: Board, digest: str, seconds: float) -> None:
    """Record the load time: a server of this release needs about as long until it is ready."""
    binding = board.binding(digest)._replace(probe_s=round(seconds, 3))._asdict()
    write_atomically(board.layout.binding(digest), json.dumps(binding, sort_keys=True).encode())


def _try(board: Board, digest: str, seconds: float, providers: str) -> dict[str, object]:
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
        asked = {"release": digest, "providers": providers}
        out, err = child.communicate(json.dumps(asked).encode(), seconds)
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
        if reports_no_memory(tail):
            raise no_memory() from None
        raise _failed("it ended with status {}".format(child.returncode), tail) from None
    ended = read(_Ended, last)
    if ended.event == "error":
        raise ReleaseError(ended.code, ended.message, ended.hint, ended.detail or tail)
    return {key: value for key, value in last.items() if key != "event"}


def _judge(answer: TrialAnswer, budget_ms: Optional[float]) -> None:
    if answer.mismatches:
        raise _failed(
            "{} of {} golden samples differ (largest error {:.3g}, allowed {:.3g})".format(
                answer.mismatches, answer.samples, answer.max_error, answer.atol
            )
        )
    if budget_ms and answer.latency_ms > float(budget_ms):
        raise _failed(
            "latency {:.2f} ms exceeds the budget of {:.2f} ms".format(
                answer.latency_ms, float(budget_ms)
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
