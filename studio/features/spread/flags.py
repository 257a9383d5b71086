"""The flag ``--on`` of steps and of pipelines."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from studio.jobs import AnyStep
from studio.steps.portable import spreads


def add_to_step(parser: argparse.ArgumentParser, steps: Sequence[AnyStep]) -> None:
    """Add the flag to a command one of whose steps may be done elsewhere."""
    if any(map(spreads, steps)):
        parser.add_argument(
            "--on", metavar="ADDRESS", help="executor that does the work (slurm:/shared/folder)"
        )


def add_to_run(parser: argparse.ArgumentParser) -> None:
    """Add the flag to the command that runs pipelines."""
    parser.add_argument(
        "--on",
        metavar="ADDRESS",
        default="",
        help="executor for long steps (ray://HOST:10001, slurm:/shared/folder, local:4)",
    )
