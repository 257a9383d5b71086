"""``studio trust``: whose releases a target takes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "trust")


def run(arguments: argparse.Namespace) -> int:
    """Tell the target and print."""
    return run_step("trust", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """Who is admitted."""
    if not result["signers"]:
        return [f"{result['target']} accepts unsigned releases."]
    names = ", ".join(result["signers"])
    return [f"{result['target']} takes releases only that one of these has signed: {names}."]
