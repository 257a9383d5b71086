"""``studio edit``: surgery on a model, each edit checked."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "edit")


def run(arguments: argparse.Namespace) -> int:
    """Edit and print."""
    return run_step("edit", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """What each edit did, then where the model is."""
    lines = [f"{row['edit']}: {row['text']}{_checked(row)}" for row in result["edits"]]
    end = f"written to {result['output']}" if result["kept"] else "nothing was kept"
    return [*lines, f"{result['nodes']:,} nodes, {end}"]


def _checked(row: Mapping[str, Any]) -> str:
    equality = row["equality"]
    if not equality or not equality["samples"]:
        return " (not compared: there is nothing equal to compare with)"
    return f" (same numbers on {equality['samples']} samples, within {equality['max_error']:.2g})"
