"""``studio undeploy``: a target that serves nothing any more."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "undeploy")


def run(arguments: argparse.Namespace) -> int:
    """Stop and print."""
    return run_step("undeploy", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """What was done."""
    return [f"{result['target']}: release stopped."]
