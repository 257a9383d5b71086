"""``studio quantize``: a smaller model, and what that costs."""

from __future__ import annotations

import argparse

from studio.cli.session import add_step
from studio.cli.step_commands import run_named


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "quantize")
    parser.add_argument(
        "--estimate",
        action="store_true",
        help="estimate the int8 speed-up on this machine and exit",
    )


def run(arguments: argparse.Namespace) -> int:
    """Quantize and print."""
    if arguments.estimate:
        arguments.outlook = arguments.trial = True
        return run_named("quantize-preview", arguments)
    return run_named("quantize", arguments)
