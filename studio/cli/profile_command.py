"""``studio profile``: latency, with verdicts that can be trusted."""

from __future__ import annotations

import argparse

from studio.cli.session import add_step, run_step
from studio.profiling.document import read_profile
from studio.profiling.texts import profile


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "profile")


def run(arguments: argparse.Namespace) -> int:
    """Profile and print."""
    return run_step("profile", arguments, lambda result: profile(read_profile(result)))
