"""``studio decisions``: the record of what the models of a target answered."""

from __future__ import annotations

import argparse

from studio.cli.flags import add_verbs
from studio.cli.session import add_step
from studio.cli.step_commands import run_named

_VERBS = {
    "list": "list the newest decisions and overrides",
    "export": "export a period with its chain, as lines of JSON",
    "verify": "verify the chain of a target or of an exported file",
    "override": "record the decision of a person instead of an answer",
    "forget": "delete what is recorded of a request or an input",
    "where": "list the places of data that may be about persons",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    for name, verb in add_verbs(parser, **_VERBS).items():
        add_step(verb, f"decisions-{name}")


def run(arguments: argparse.Namespace) -> int:
    """Run the step of the verb."""
    return run_named(f"decisions-{arguments.verb}", arguments)
