"""What the command line prints: JSON or plain text, which no terminal and no CI obeys."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from studio.api import StudioError
from studio.documents.plain import PlainLines, one_line

if TYPE_CHECKING:
    from studio.jobs import JobOutcome


class _PlainStream:
    """A text stream that reduces all writes to plain text."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines = PlainLines()

    def write(self, text: str) -> int:
        """Write it without what a terminal or a CI service would obey."""
        self._stream.write(self._lines.add(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def plain_output() -> Iterator[None]:
    """Reduce the output of this process to plain text."""
    with (
        contextlib.redirect_stdout(_PlainStream(sys.stdout)),
        contextlib.redirect_stderr(_PlainStream(sys.stderr)),
    ):
        yield


def print_json(document: Any) -> None:
    """The one document that ``--json`` puts on standard output."""
    # Escaped characters mean the same in JSON, and are no command to a CI service.
    sys.stdout.write(json.dumps(document, indent=2, default=str).replace("##", "\\u0023\\u0023"))
    sys.stdout.write("\n")


def print_lines(lines: Iterable[str], *, flush: bool = False) -> None:
    """Text for people; what would break a line is shown in it."""
    for line in lines:
        print(one_line(line), flush=flush)


def print_text(text: str) -> None:
    """Print text for people that the next text may continue in the same line."""
    print(text, end="", flush=True)


def print_note(line: str) -> None:
    """Print one line on standard error, apart from the result."""
    print(one_line(line), file=sys.stderr, flush=True)


def has_terminal() -> bool:
    """Return whether a person can read a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def prompt(question: str) -> str:
    """Ask a question on standard error and return the user's answer."""
    print(one_line(question), end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def fail(error: StudioError, *, as_json: bool, debug: bool = False) -> int:
    """Print an expected failure; returns its exit code."""
    return _fail(
        error.message,
        error.hint,
        error.detail if debug else "",
        type(error).__name__,
        error.exit_code,
        as_json,
    )


def fail_job(outcome: JobOutcome, *, as_json: bool, debug: bool = False) -> int:
    """Print how a job failed; returns its exit code."""
    kind = outcome.error or outcome.end.value
    return _fail(
        outcome.sentence,
        outcome.hint,
        outcome.detail if debug else "",
        kind,
        outcome.exit_code,
        as_json,
        outcome.fields,
    )


def _fail(
    message: str,
    hint: str,
    detail: str,
    kind: str,
    exit_code: int,
    as_json: bool,
    fields: Mapping[str, Any] | None = None,
) -> int:
    print_note(f"studio: {message}")
    if hint:
        print_note(f"        {hint}")
    if detail:
        print(detail, file=sys.stderr)
    if as_json:
        error = {"kind": kind, "message": message, "hint": hint, **(fields or {})}
        print_json({"error": error})
    return exit_code
