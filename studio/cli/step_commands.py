"""The commands that run one step and print its result.

The flags are the step's options; the lines for people are made by the ``texts`` of the step.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from studio.cli.flags import option_values
from studio.cli.output import print_note
from studio.cli.overwrite import confirm_overwrite
from studio.cli.session import add_step, finish, workspace
from studio.jobs.object_names import load
from studio.workspace import Workspace

if TYPE_CHECKING:
    from studio.jobs import AnyStep, JobOutcome


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, parser.prog.split()[-1])


def run(arguments: argparse.Namespace) -> int:
    """Run the step that has the command's name."""
    return run_named(arguments.command, arguments)


def run_named(name: str, arguments: argparse.Namespace) -> int:
    """Run a step with the flags that were given, and print its result; returns the exit code."""
    from studio.steps.approval import NeedsApproval
    from studio.steps.overwrites import in_the_way, outputs

    with workspace() as opened:
        step = opened.steps[name]
        options = option_values(arguments, step.form)
        confirm_overwrite(in_the_way(outputs(step, options)), arguments)
        # A step that stays on this computer may have an option of that name (a day).
        on = getattr(arguments, "on", None) if step.spreads else None
        try:
            outcome = opened.run(name, on, **options) if on else _run(opened, name, step, options)
        except NeedsApproval as error:
            from studio.cli.approval import run_approved

            print_note(error.message)
            outcome = run_approved(opened, name, options)
    code = finish(outcome, arguments, load(step.texts))
    if code or not step.exit_code:
        return code
    exit_code: int = load(step.exit_code)(outcome.result)
    return exit_code


def _run(opened: Workspace, name: str, step: AnyStep, options: dict[str, object]) -> JobOutcome:
    run = _run_until_stopped if step.until_stopped else Workspace.run
    return run(opened, name, **options)


def _run_until_stopped(opened: Workspace, name: str, **options: object) -> JobOutcome:
    """Run a step whose natural end is that the user presses Ctrl+C."""
    job = opened.start(name, **options)
    try:
        outcome = job.wait()
    except KeyboardInterrupt:
        job.cancel()
        outcome = job.wait()
    assert outcome is not None  # without a time limit, waiting ends with the job
    return outcome
