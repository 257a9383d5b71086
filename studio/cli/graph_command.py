"""``studio graph``: a model's graph drawn into a file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step
from studio.documents.text_table import counted

ANALYZER = "analyzer:"
"""Beginning of an overlay that is no file."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "graph")


def run(arguments: argparse.Namespace) -> int:
    """Draw and say where it is; ``--overlay analyzer:ID`` is another spelling of --analyzer."""
    overlay = str(arguments.overlay or "")
    if overlay.startswith(ANALYZER):
        arguments.overlay, arguments.analyzer = None, overlay.removeprefix(ANALYZER)
    return run_step("graph", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """Where the drawing is, and how much is in it."""
    constants = result["constants"]
    lines = [
        f"{result['nodes']:,} nodes and {result['edges']:,} edges drawn in "
        f"{result['seconds']:.1f} s: {result['output']}"
    ]
    if constants:
        lines.append(f"{counted(constants, 'constant')} of the model have no box of their own.")
    return lines
