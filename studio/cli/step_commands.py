"""The commands that run one step and print its result.

The flags are the step's options; the lines for people are made by the ``texts`` of the step.
"""

from __future__ import annotations

import argparse

from studio.cli.flags import option_values
from studio.cli.overwrite import confirm_overwrite
from studio.cli.session import add_step, finish, workspace
from studio.jobs.object_names import load
from studio.steps.overwrites import in_the_way, outputs


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, parser.prog.split()[-1])


def run(arguments: argparse.Namespace) -> int:
    """Run the step that has the command's name."""
    return run_named(arguments.command, arguments)


def run_named(name: str, arguments: argparse.Namespace) -> int:
    """Run a step with the flags that were given, and print its result; returns the exit code."""
    with workspace() as opened:
        step = opened.steps[name]
        options = option_values(arguments, step.form)
        confirm_overwrite(in_the_way(outputs(step, options)), arguments)
        outcome = opened.run(name, **options)
    code = finish(outcome, arguments, load(step.texts))
    if code or not step.exit_code:
        return code
    exit_code: int = load(step.exit_code)(outcome.result)
    return exit_code
