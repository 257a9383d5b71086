"""``studio fleet``: the state of many boards, as they publish it to a broker."""

from __future__ import annotations

import argparse

from studio.cli.flags import add_verbs
from studio.cli.session import add_step
from studio.cli.step_commands import run_named


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        join="let a target publish its state to a broker",
        leave="let a target publish its state no longer",
        status="show the state of the boards at a broker",
        watch="merge the state of the boards continuously",
        forget="remove boards that are gone, here and at the broker",
    )
    for verb, parts in verbs.items():
        add_step(parts, f"fleet-{verb}")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb."""
    return run_named(f"fleet-{arguments.verb}", arguments)
