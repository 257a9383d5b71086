"""``studio logs``: what the served model's server logged last."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "logs")


def run(arguments: argparse.Namespace) -> int:
    """Ask the target and print."""
    return run_step("logs", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """The lines as they came."""
    return list(result["lines"]) or ["Nothing was logged there yet."]
