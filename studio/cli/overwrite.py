"""Leave to overwrite files: ``--force``, or a yes on the terminal."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from studio.api import Cancelled
from studio.cli.output import has_terminal, prompt


def add_force(parser: argparse.ArgumentParser) -> None:
    """Add the flag."""
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def confirm_overwrite(paths: Sequence[Path], arguments: argparse.Namespace) -> None:
    """Ask for a confirmation to overwrite files, unless an option gave it.

    Raises:
        UsageError: without a terminal for the question.
        Cancelled: when the answer is no.
    """
    if not paths or arguments.force:
        return
    if arguments.json or not has_terminal():
        from studio.steps.overwrites import refusal

        raise refusal(paths)
    for path in paths:
        if prompt(f"{path} exists. Overwrite it? [y/N]").lower() not in ("y", "yes"):
            raise Cancelled
    arguments.force = True  # asked once, also where the command runs again with another model
