"""The bench as a program: a configuration in, events out, an exit status."""

from __future__ import annotations

import sys
from functools import partial

from .config import Config, parse
from .errors import BenchError, Cancelled, ConfigError
from .events import NAMES, BenchCancelled, BenchFailure, Event
from .process import CancelWatch
from .stream import LineWriter, document


def run(argv: list[str]) -> int:
    """Read the configuration and measure; return the exit status."""
    if argv:
        print("The bench takes its configuration on standard input.", file=sys.stderr)
        return 2
    writer = LineWriter()
    try:
        config = parse(_first_line())
    except ConfigError as error:
        _emit(writer, BenchFailure(str(error)))
        return 2
    return _measure(config, writer)


def _measure(config: Config, writer: LineWriter) -> int:
    from .study import Study  # numpy is imported here, once the configuration is good

    watch = CancelWatch(0 if config.cancel_on_eof else None)
    try:
        Study(config, partial(_emit, writer), watch).run()
    except BenchError as error:
        _emit(writer, BenchFailure(str(error)))
        return 1
    except (Cancelled, KeyboardInterrupt):
        try:
            _emit(writer, BenchCancelled())
        except Cancelled:
            pass  # no reader is left for the event
        return 130
    return 0


def _emit(writer: LineWriter, event: Event) -> None:
    writer.write({"event": NAMES[type(event)], **document(event)})


def _first_line() -> str:
    """Return the first line of standard input, unbuffered: the watch needs what comes after."""
    with open(0, "rb", buffering=0, closefd=False) as stream:
        return stream.readline().decode("utf-8", "replace")
