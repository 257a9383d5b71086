"""Steps that this process runs: its open workspaces, the wait for a job, errors as exceptions."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import studio.api as api
from studio.api import Cancelled, StudioError, UsageError
from studio.documents.plain import one_line
from studio.jobs import JobOutcome, RunningJob
from studio.jobs.outcome import End
from studio.lazy_dataclass import dataclass
from studio.settings import Paths
from studio.steps.overwrites import in_the_way, outputs
from studio.workspace import Event, JobMessage, Workspace

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


_LOOK_S = 0.2
_sessions: dict[tuple[int, Path], Session] = {}

logging.getLogger("studio").addHandler(logging.NullHandler())  # the program decides what is shown


@dataclass(frozen=True, slots=True)
class Done:
    """A job that has succeeded.

    Attributes:
        notes: What the model's project added to the options, a sentence each.
        messages: Values of the messages that were collected, in their order.
    """

    result: object
    notes: tuple[str, ...]
    messages: tuple[Mapping[str, object], ...]


class Session:
    """A workspace of this process.

    Attributes:
        progress: Whether a progress line is shown; None decides by the output.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.progress: bool | None = None

    def run(
        self,
        step: str,
        options: Mapping[str, object],
        *,
        overwrite: bool = False,
        collected: str = "",
    ) -> Done:
        """Run a step to its end. An interrupt cancels the job and waits for its end.

        Args:
            options: By name; None means that an option is not given.
            overwrite: Whether existing files may be overwritten.
            collected: Name of the messages of the job to be kept; empty for none.

        Raises:
            UsageError: when an option does not fit; nothing was started.
            StudioError: of the class that the work raised.
        """
        given = {name: _plain(value) for name, value in options.items() if value is not None}
        if not overwrite:
            self._keep_files(step, given)
        heard: list[JobMessage] = []

        def collect(event: Event) -> None:
            if isinstance(event, JobMessage) and event.name == collected:
                heard.append(event)

        unsubscribe = self.workspace.events.subscribe(collect)
        try:
            job = self.workspace.start(step, **given)
            outcome = self._wait(job)
        finally:
            unsubscribe()
        if not outcome.ok:
            raise error_of(outcome)
        messages = tuple(event.values for event in heard if event.job.id == job.id)
        return Done(outcome.result, job.spec.notes, messages)

    def _keep_files(self, step: str, given: Mapping[str, object]) -> None:
        known = self.workspace.steps.get(step)
        taken = in_the_way(outputs(known, given)) if known else []
        if taken:
            names = ", ".join(map(str, taken))
            raise UsageError(
                f"{names} exists already; overwrite=True overwrites it.",
                hint="Or give another name.",
            )

    def _wait(self, job: RunningJob) -> JobOutcome:
        line = ProgressLine(self.progress)
        try:
            while (outcome := job.wait(_LOOK_S)) is None:
                line.update(job)
        except BaseException:  # Ctrl+C: the worker must not outlive the call
            job.cancel()
            job.wait()
            raise
        finally:
            line.end(job)
        return outcome


def session(home: str | os.PathLike[str] | None = None) -> Session:
    """Return the open workspace of a home; it is closed when the process ends.

    Raises:
        StudioError: when its folder cannot be used.
    """
    folder = None if home is None else Path(home)
    key = (os.getpid(), Paths.of(home=folder).data)  # a forked process opens its own
    if key not in _sessions:
        opened = Workspace.open(folder)
        opened.set_source("library")
        _sessions[key] = Session(opened)
    return _sessions[key]


def close_all() -> None:
    """Stop running jobs and close all workspaces of this process."""
    for key in [key for key in _sessions if key[0] == os.getpid()]:
        _sessions.pop(key).workspace.close()


atexit.register(close_all)


def error_of(outcome: JobOutcome) -> StudioError:
    """Return the exception for a job that did not succeed: of the class that the work raised."""
    if outcome.end is End.CANCELLED:
        return Cancelled(outcome.sentence)
    form = getattr(api, outcome.error, None)
    error: StudioError
    if isinstance(form, type) and issubclass(form, StudioError):
        try:
            error = form(outcome.sentence, hint=outcome.hint, **outcome.fields)
        except TypeError:  # fields of a plugin's own
            error = form(outcome.sentence, hint=outcome.hint)
    else:
        error = StudioError(outcome.sentence, hint=outcome.hint)
    error.detail = outcome.detail
    return error


def _plain(value: object) -> object:
    """Return a value as options take it: paths as text, sequences as lists."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    reference = getattr(value, "reference", None)  # a model, an endpoint
    return reference if isinstance(reference, str) else value
