"""``studio app``: apps made, checked, run and tested."""

from __future__ import annotations

import argparse

from studio.cli.flags import add_verbs
from studio.cli.session import add_step
from studio.cli.step_commands import run_named

_VERBS = {
    "new": "create the folder of an app",
    "check": "check the graph and files of an app",
    "run": "run an app on this computer",
    "test": "replay recordings and compare the events with known ones",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    for name, verb in add_verbs(parser, **_VERBS).items():
        add_step(verb, f"app-{name}")


def run(arguments: argparse.Namespace) -> int:
    """Run the step of the verb."""
    return run_named(f"app-{arguments.verb}", arguments)
