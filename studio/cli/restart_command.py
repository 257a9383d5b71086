"""``studio restart``: the server of what a target serves, stopped and started again."""

from __future__ import annotations

import argparse

from studio.cli.session import add_step, run_step
from studio.cli.start_command import describe


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "restart")


def run(arguments: argparse.Namespace) -> int:
    """Restart and print."""
    return run_step("restart", arguments, describe)
