"""The bench as a command: run on this computer or through a channel, its events collected."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Protocol

from studio.api import Cancelled, Completed, Progress, StudioError, TargetError
from studio.documents.dataclass_json import to_json
from studio.profiling.recording import Recording, read_event
from studio.runtime.bench.config import Config
from studio.runtime.bench.events import Event
from studio.settings.interpreter import own_python

LOCAL_BENCH = tuple(own_python("-m", "studio.runtime", "bench"))
"""The bench in this environment."""

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 3.0
_OVERHEAD_SECONDS = 900.0
_COOL_DOWN_SECONDS = 120.0
_TOKEN_SECONDS = 1.0


class CommandRunner(Protocol):
    """Whatever runs a command and hands over its lines; every ``api.Channel`` does."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 60.0,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        """Run it and wait for its end."""


class LocalRunner:
    """Runs a command on this computer, and ends it when the job is cancelled.

    Unlike a channel it keeps the command's standard input open: closing it is how the bench is
    cancelled, and how it notices that this process was killed.
    """

    def __init__(self, folder: Path, progress: Progress) -> None:
        self._folder = folder
        self._progress = progress

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 60.0,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        """Run it and wait for its end; Cancelled when the job is."""
        errors = self._folder / "bench.log"
        with errors.open("wb") as log:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._folder,
            )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(stdin)
                process.stdin.flush()
            lines = self._follow(process.stdout, time.monotonic() + timeout, on_line)
            status = process.wait(_GRACE_SECONDS)
        finally:
            _end(process)
        return Completed(status, b"".join(lines), errors.read_bytes()[-4000:])

    def _follow(
        self, stream: IO[bytes], deadline: float, on_line: Callable[[str], None] | None
    ) -> list[bytes]:
        """Hand over the lines as they come, with an eye on the job."""
        arrived: queue.Queue[bytes | None] = queue.Queue()
        # A thread reads, so that a cancel is noticed while no line arrives.
        threading.Thread(target=_pump, args=(stream, arrived), daemon=True).start()
        kept: list[bytes] = []
        while True:
            self._progress.check()
            try:
                line = arrived.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if time.monotonic() > deadline:
                    raise StudioError("The bench did not end in time and was stopped.") from None
                continue
            if line is None:
                return kept
            if on_line is not None:
                on_line(line.decode("utf-8", "replace"))
            else:
                kept.append(line)


def run_bench(
    runner: CommandRunner,
    argv: Sequence[str],
    config: Config,
    on_event: Callable[[Event], None],
) -> Recording:
    """Run a bench and collect its events.

    Args:
        runner: A channel, or ``LocalRunner``.
        argv: The command (``LOCAL_BENCH``, or the one on a target).
        config: See ``studio.runtime.bench.config``.
        on_event: Called with each event, for progress.

    Raises:
        StudioError: when nothing was measured, in one sentence. When the connection breaks after
            some rounds, there is no error: the recording is marked as incomplete, with the reason.
        Cancelled: when the job was cancelled.
    """
    recording = Recording(config)

    def on_line(line: str) -> None:
        with contextlib.suppress(json.JSONDecodeError):
            document = json.loads(line)
            event = read_event(document) if isinstance(document, dict) else None
            if event is not None:
                recording.add(event)
                on_event(event)

    done = None
    try:
        done = runner.run(
            argv,
            stdin=json.dumps(to_json(config)).encode() + b"\n",
            timeout=_patience(config),
            on_line=on_line,
        )
    except TargetError as error:
        # Rounds that were measured before the connection broke are still valid.
        if not recording.measured:
            raise
        recording.interruption = error.message
    if recording.error:
        raise StudioError(recording.error)
    if recording.cancelled:
        raise Cancelled
    if not recording.complete and not recording.interruption:
        recording.interruption = _early_end(done)
        if not recording.measured:
            detail = done.stderr.decode("utf-8", "replace") if done else ""
            raise StudioError(recording.interruption, detail=detail)
    return recording


def _patience(config: Config) -> float:
    """Return the seconds after which a bench counts as hanging."""
    seconds = config.seconds
    if config.mode == "sustained":
        seconds = (config.duration + _COOL_DOWN_SECONDS) * len(config.candidates)
    tokens = config.tokens
    if config.mode == "tokens":  # slow models take longer than their time for the fewest rounds
        answers = max(tokens.room, *tokens.contexts, 1) * (sum(tokens.streams) + 1)
        seconds += _TOKEN_SECONDS * answers * len(config.candidates)
    return seconds * 4 + _OVERHEAD_SECONDS


def _early_end(done: Completed | None) -> str:
    if done is None:
        return "The bench ended without a result."
    if done.status < 0:
        return f"The bench was killed by signal {-done.status}."
    return f"The bench ended with status {done.status} before it had a result."


def _pump(stream: IO[bytes], arrived: queue.Queue[bytes | None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in stream:
            arrived.put(line)
    arrived.put(None)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close its input, which cancels it; kill it if it does not hear."""
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
