"""``studio evaluate``: a model's quality on labelled data."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "evaluate")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print."""
    return run_step("evaluate", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """The score in one line, and that of the target's runtime beside it."""
    metric, there = result["metric"], result["target"]
    lines = [f"{metric['name']} {metric['value']:.4f} over {result['samples']} samples"]
    if there is not None:
        lost, gained = there["changed"]
        lines.append(
            f"{there['name']} ({there['runtime']} {there['version']}): {there['value']:.4f}; "
            f"{lost} lost and {gained} gained beside this computer "
            f"({result['backend']['id']} {result['backend']['version']})"
        )
    return lines
