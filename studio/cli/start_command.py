"""``studio start``: the server of what a target serves, started again."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "start")


def run(arguments: argparse.Namespace) -> int:
    """Start and print."""
    return run_step("start", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """How it is now, and where it answers."""
    if result["state"] == "stopped":
        return [
            f"{result['target']} is stopped. Start it with: studio start --target "
            f"{result['target']}"
        ]
    lines = [f"{result['target']} is {result['state']} version {result.get('version')}."]
    return [*lines, f"Endpoint: {result['endpoint']}"] if result["endpoint"] else lines
