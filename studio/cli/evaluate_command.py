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
    """The score in one line."""
    metric = result["metric"]
    return [f"{metric['name']} {metric['value']:.4f} over {result['samples']} samples"]
