"""``studio rollback``: a target taken back to an earlier release."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "rollback")


def run(arguments: argparse.Namespace) -> int:
    """Roll back and print."""
    return run_step("rollback", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """What serves now."""
    return [
        f"{result['target']} serves version {result['to']} again, "
        f"not {result['from']}, after {result['seconds']:.2f} s."
    ]
