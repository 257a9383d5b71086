"""``studio stop``: the server of what a target serves, stopped."""

from __future__ import annotations

import argparse

from studio.cli.session import add_step, run_step
from studio.cli.start_command import describe


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "stop")


def run(arguments: argparse.Namespace) -> int:
    """Stop and print."""
    return run_step("stop", arguments, describe)
