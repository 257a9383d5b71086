"""A command at work: its workspace, its progress on standard error, its outcome."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from studio.api import Kind
from studio.cli.flags import add_options
from studio.cli.output import fail_job, print_json, print_lines, print_note
from studio.cli.overwrite import add_force
from studio.cli.parser import CommandParser
from studio.documents.plain import one_line
from studio.workspace import (
    Event,
    JobFinished,
    JobMessage,
    JobProgressed,
    JobStarted,
    Workspace,
)

if TYPE_CHECKING:
    from studio.jobs import JobOutcome

Describe = Callable[[Any], list[str]]
"""Text for people, made from a result."""


class ProgressLine:
    """One progress line of a job on a terminal, silent without a terminal.

    What the model's project gave, and a failed notification of an alert channel, are printed at
    once, also without a terminal.
    """

    def __init__(self) -> None:
        self._shown = 0

    def __call__(self, event: Event) -> None:
        """Listen to the workspace."""
        if isinstance(event, JobStarted):
            for note in event.job.spec.notes:
                print_note(note)
        elif isinstance(event, JobProgressed):
            state = event.job.state
            share = f" {100 * state.done / state.total:3.0f} %" if state.total else ""
            self._show(f"{event.job.title}{share}  {state.text}")
        elif isinstance(event, JobMessage) and event.name == "channel":
            self._show("")
            print_note(f"studio: alert channel {event.values['channel']}: {event.values['text']}")
        elif isinstance(event, (JobFinished, JobMessage)):
            self._show("")

    def _show(self, text: str) -> None:
        if not sys.stderr.isatty() or sys.__stderr__ is None or not (text or self._shown):
            return
        text = one_line(text)[:100]
        # The terminal itself, as the plain stream cannot rewrite a line.
        sys.__stderr__.write("\r" + text.ljust(self._shown) + ("\r" if not text else ""))
        sys.__stderr__.flush()
        self._shown = len(text)


@contextlib.contextmanager
def workspace() -> Iterator[Workspace]:
    """The user's workspace, with progress on the terminal."""
    with Workspace.open() as opened:
        opened.events.subscribe(ProgressLine())
        yield opened


def add_step(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add the flags of steps, by the steps' names, once they are needed."""
    assert isinstance(parser, CommandParser)  # as every parser below the program's
    parser.defer(lambda: _add_steps(parser, names))


def _add_steps(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    from studio.jobs.elsewhere import has_executors
    from studio.steps.catalogue import step
    from studio.steps.portable import spreads

    steps = [step(name) for name in names]
    options = [option for each in steps for option in each.form]
    add_options(parser, options)
    if any(map(spreads, steps)) and has_executors():
        parser.add_argument(
            "--on", metavar="ADDRESS", help="executor that does the work (slurm:/shared/folder)"
        )
    if any(option.kind is Kind.OUTPUT for option in options):
        add_force(parser)


def finish(outcome: JobOutcome, arguments: argparse.Namespace, describe: Describe) -> int:
    """Print a job's result or failure; returns the exit code."""
    if not outcome.ok:
        return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
    if arguments.json:
        print_json(outcome.document)
    else:
        print_lines(describe(outcome.result))
    return 0
