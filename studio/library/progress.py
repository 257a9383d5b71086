"""One updating line about a job, in a terminal or a notebook."""

from __future__ import annotations

import sys
from typing import TextIO

from studio.documents.plain import one_line
from studio.jobs import RunningJob

_WIDTH = 100
_INTERACTIVE = "IPython"


class ProgressLine:
    """The line of one job; silent in a script whose output is no terminal.

    Args:
        shown: False for silence, True for a line in any case; None decides by the output.
    """

    def __init__(self, shown: bool | None) -> None:
        self._in_notebook = in_notebook()
        quiet = not (self._in_notebook or sys.stderr.isatty()) if shown is None else not shown
        self._stream: TextIO | None = None
        if not quiet:  # a notebook shows standard error as a failure
            self._stream = sys.stdout if self._in_notebook else sys.stderr
        self._last = ""

    def update(self, job: RunningJob) -> None:
        """Show how far the job is."""
        state = job.state
        share = f" {100 * state.done / state.total:3.0f} %" if state.total else ""
        self._show(f"{job.title}{share}  {state.text}")

    def end(self, job: RunningJob) -> None:
        """Remove the line; a notebook keeps the duration, as an empty line would stay there."""
        if not self._last or self._stream is None:
            return
        if self._in_notebook and job.outcome is not None:
            self._show(f"{job.title}: {job.outcome.end.value} after {job.outcome.seconds:.1f} s")
            self._stream.write("\n")
        else:
            self._stream.write("\r" + " " * len(self._last) + "\r")
        self._stream.flush()

    def _show(self, text: str) -> None:
        text = one_line(text)[:_WIDTH].rstrip()
        if self._stream is not None and text != self._last:
            self._stream.write("\r" + text.ljust(len(self._last)))
            self._stream.flush()
            self._last = text


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    interactive = sys.modules.get(_INTERACTIVE)
    return interactive is not None and hasattr(interactive.get_ipython(), "kernel")
