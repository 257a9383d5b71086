"""A tool run inside an environment, seen from the studio's side."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import IO

from studio.api import Progress, StudioError
from studio.documents.dataclass_json import JsonValue, from_json
from studio.lazy_dataclass import dataclass
from studio.plugin_host.environments.build import clean_variables

CHILD = Path(__file__).with_name("child.py")
PATIENCE_S = 240.0
"""Seconds without a word and without work, after which a tool is stopped."""

_LEAST = 0.005
"""Share of that time on a processor that counts as computing, on a machine that is busy, too."""

_POLL_S = 0.2
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class ToolEvent:
    """A line that a tool writes; empty for one that just ended.

    Attributes:
        event: ``progress``, ``result`` or ``error``.
        text: The state of the work, or what went wrong.
    """

    event: str = ""
    done: float = 0.0
    total: float = 0.0
    text: str = ""
    detail: str = ""
    result: Mapping[str, JsonValue] = field(default_factory=dict)


class ToolRun:
    """One request to one tool."""

    def __init__(self, python: Path, tool: Path, folder: Path, patience: float = PATIENCE_S):
        self._title = f"{tool.parent.name}'s {tool.stem}"
        # -I: neither the current folder nor the user's packages can be imported.
        self._command: Sequence[str] = [str(python), "-I", str(CHILD), str(tool)]
        self._folder = folder
        self._patience = patience

    def result(self, request: Mapping[str, object], progress: Progress) -> Mapping[str, JsonValue]:
        """Do it; see ``studio.api.toolchains.Toolchain.run``."""
        errors = self._folder / "tool.log"
        with errors.open("wb") as log:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._folder,
                env=clean_variables(self._folder),
                # A process group of its own, which is killed with all children at the end.
                start_new_session=True,
            )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
            last = self._follow(process, progress)
            return self._concluded(last, process, errors)
        finally:
            _end(process)

    def _follow(self, process: subprocess.Popen[bytes], progress: Progress) -> ToolEvent:
        """Pass on how far it is; the last event, empty when it just ended.

        A silent tool is stopped, unless it computes: the export of a large model takes minutes.
        Its last state is then reported again, so that the job counts as alive, too.
        """
        assert process.stdout is not None
        arrived: queue.Queue[bytes | None] = queue.Queue()
        # A thread, as a read of the pipe has no time limit.
        threading.Thread(target=_pump, args=(process.stdout, arrived), daemon=True).start()
        heard, last = time.monotonic(), ToolEvent()
        computed = _computed(process.pid)
        while True:
            progress.check()
            try:
                line = arrived.get(timeout=_POLL_S)
            except queue.Empty:
                if (now := _computed(process.pid)) > computed + _LEAST * self._patience:
                    heard, computed = time.monotonic(), now
                    _report(last, progress)
                if time.monotonic() - heard > self._patience:
                    raise StudioError(
                        f"{self._title} made no progress for {self._patience:g} s and was stopped."
                    ) from None
                continue
            if line is None:
                return last
            heard, last = time.monotonic(), self._event(line)
            _report(last, progress)

    def _event(self, line: bytes) -> ToolEvent:
        """Return the event of a line; code that a tool loads may write anything."""
        try:
            return from_json(ToolEvent, json.loads(line))
        except (RecursionError, ValueError, StudioError):
            raise StudioError(f"{self._title} wrote a line that is no event.") from None

    def _concluded(
        self, last: ToolEvent, process: subprocess.Popen[bytes], errors: Path
    ) -> Mapping[str, JsonValue]:
        if last.event == "result":
            return last.result
        detail = errors.read_bytes()[-4000:].decode("utf-8", "replace")
        if last.event == "error":
            text = last.text.rstrip(".")
            raise StudioError(f"{self._title} failed: {text}.", detail=last.detail or detail)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
        status = process.poll() or 0
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        raise StudioError(f"{self._title} {how}.", detail=detail)


def _report(event: ToolEvent, progress: Progress) -> None:
    if event.event == "progress":
        total = max(event.total, 0.0)
        progress.progress(min(event.done, total) if total else 0.0, total, event.text)


def _pump(stream: IO[bytes], arrived: queue.Queue[bytes | None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in stream:
            arrived.put(line)
    arrived.put(None)


def _computed(pid: int) -> float:
    """Return the processor seconds of a process and its ended children, 0 where unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and whatever it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
