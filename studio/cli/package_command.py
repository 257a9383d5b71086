"""``studio package``: a bundle that can be deployed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.output import megabytes
from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "package")


def run(arguments: argparse.Namespace) -> int:
    """Package and print."""
    return run_step("package", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """What was made."""
    return [f"{result['bundle']}", f"digest {result['digest']}, {megabytes(result['bytes'])}"]
