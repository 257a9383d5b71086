"""``studio promote``: all requests for the release that was a canary."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "promote")


def run(arguments: argparse.Namespace) -> int:
    """Promote and print."""
    return run_step("promote", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """What serves now."""
    return [f"{result['target']} serves version {result['to']} alone."]
