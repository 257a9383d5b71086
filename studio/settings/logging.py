"""Logging of a process of the studio: where records go, while it runs.

Each module has a logger of its name (``logging.getLogger(__name__)``); values stand in ``extra``,
not in the message.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from studio.documents.plain import one_line
from studio.settings.log_file import LogFile
from studio.settings.paths import Paths
from studio.settings.redaction import Redactor, keys_of, message_of

STUDIO = "studio"
"""The logger above all others; those of libraries are heard from WARNING up."""

log = logging.getLogger(__name__)
logging.getLogger(STUDIO).addHandler(logging.NullHandler())  # without a log nothing is printed


class TerminalLines(logging.Formatter):
    """A record as a line for people: level, logger, message, keys; its traceback is in the file."""

    def format(self, record: logging.LogRecord) -> str:
        """Write it."""
        keys = {name: value for name, value in keys_of(record).items() if name != "traceback"}
        pairs = "".join(f" {name}={value}" for name, value in keys.items())
        return one_line(f"{record.levelname} {record.name}: {message_of(record)}{pairs}")


@contextmanager
def recording(
    paths: Paths,
    level: int = logging.INFO,
    terminal: int = 0,
    more: Callable[[], list[logging.Handler]] = list,
) -> Iterator[None]:
    """Write records and uncaught exceptions into the log below the data folder.

    Args:
        level: From which on records are written.
        terminal: From which on they also appear on standard error; 0: none do.
        more: Returns handlers that get the records too; the log already takes what these log.
    """
    handlers: list[logging.Handler] = [LogFile(paths.logs / "studio.log")]
    handlers[0].setLevel(level)
    if terminal:
        handlers.append(logging.StreamHandler(sys.stderr))
        handlers[1].setLevel(terminal)
        handlers[1].setFormatter(TerminalLines())
    redactor = Redactor.of(paths.data)
    lowest = min(level, terminal or level)
    with (
        attached(handlers, redactor, lowest),
        attached(more(), redactor, lowest),
        uncaught_logged(),
        crashes(),
    ):
        yield


@contextmanager
def attached(handlers: list[logging.Handler], redactor: Redactor, level: int) -> Iterator[None]:
    """Attach handlers to this process's loggers, and detach them at the end."""
    root, studio = logging.getLogger(), logging.getLogger(STUDIO)
    before = studio.level
    studio.setLevel(level)
    for handler in handlers:
        handler.addFilter(redactor)
        root.addHandler(handler)
    try:
        yield
    finally:
        studio.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


@contextmanager
def uncaught_logged() -> Iterator[None]:
    """Log uncaught exceptions of every thread; the previous hooks still run."""
    usual, of_threads = sys.excepthook, threading.excepthook

    def of_process(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> Any:
        if issubclass(kind, Exception):
            log.error("uncaught exception", exc_info=(kind, error, trace))
        return usual(kind, error, trace)

    def of_thread(found: threading.ExceptHookArgs) -> Any:
        if found.exc_value is not None:
            name = found.thread.name if found.thread is not None else ""
            where = (found.exc_type, found.exc_value, found.exc_traceback)
            log.error("uncaught exception in a thread", exc_info=where, extra={"in_thread": name})
        return of_threads(found)

    sys.excepthook, threading.excepthook = of_process, of_thread
    try:
        yield
    finally:
        # A hook that other code installed since stays.
        if sys.excepthook is of_process:
            sys.excepthook = usual
        if threading.excepthook is of_thread:
            threading.excepthook = of_threads


@contextmanager
def crashes(file: Path | None = None) -> Iterator[None]:
    """Write the stacks of all threads when native code crashes this process.

    Args:
        file: Where to; standard error by default, and where it cannot be written.
    """
    out = _opened(file) if file is not None else None
    enabled = out is not None or not faulthandler.is_enabled()
    if enabled:
        _enable(out)
    try:
        yield
    finally:
        if enabled:
            faulthandler.disable()
        if out is not None:
            out.close()


_MOST_CRASHES = 256 << 10


def _opened(file: Path) -> TextIO | None:
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.touch(0o600)
        out = file.open("a")
    except OSError as error:
        log.debug("no file for crashes", extra={"reason": error.strerror})
        return None
    if out.tell() > _MOST_CRASHES:
        out.truncate(0)
    return out


def _enable(out: TextIO | None) -> None:
    try:
        file = out or sys.__stderr__
        if file is not None:
            faulthandler.enable(file)
    except (OSError, ValueError):
        pass  # standard error is closed, or no file
