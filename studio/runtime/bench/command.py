"""The bench as a program: a configuration in, events out, an exit status."""

from __future__ import annotations

import sys

from .config import Config, parse
from .errors import BenchError, Cancelled, ConfigError
from .process import CancelWatch
from .stream import LineWriter


def run(argv: list[str]) -> int:
    """Read the configuration and measure; returns the exit status."""
    if argv:
        print("The bench takes its configuration on standard input.", file=sys.stderr)
        return 2
    writer = LineWriter()
    try:
        config = parse(_first_line())
    except ConfigError as error:
        writer.write({"event": "error", "text": str(error)})
        return 2
    return _measure(config, writer)


def _measure(config: Config, writer: LineWriter) -> int:
    from .study import Study  # numpy is imported here, once the configuration is good

    watch = CancelWatch(0 if config.cancel_on_eof else None)
    try:
        Study(config, writer.write, watch).run()
    except BenchError as error:
        writer.write({"event": "error", "text": str(error)})
        return 1
    except (Cancelled, KeyboardInterrupt):
        try:
            writer.write({"event": "cancelled"})
        except Cancelled:
            pass  # nobody is left to be told
        return 130
    return 0


def _first_line() -> str:
    """The first line of standard input; unbuffered, so that the watch sees what comes after."""
    with open(0, "rb", buffering=0, closefd=False) as stream:
        return stream.readline().decode("utf-8", "replace")
