"""``studio analyze``: the numbers of one analyzer for the nodes of a model."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step
from studio.documents.text_table import counted, table

_SHOWN = 20


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "analyze")


def run(arguments: argparse.Namespace) -> int:
    """Compute and print; ``--json`` prints what ``studio graph --overlay`` reads."""
    return run_step("analyze", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """Return the largest numbers, with the title of what was computed."""
    found = sorted(result["values"].items(), key=lambda one: -one[1])
    if not found:
        return [f"{result['title']}: no node has a number."]
    rows = [(name, f"{value:.4g} {result['unit']}".strip()) for name, value in found[:_SHOWN]]
    lines = table(("node", str(result["title"]).lower()), rows, " r")
    left = len(found) - len(rows)
    return [*lines, f"and {counted(left, 'node')} more"] if left else lines
