"""``studio graph``: a model's graph drawn into a file."""

from __future__ import annotations

import argparse

from studio.cli.step_commands import add as add
from studio.cli.step_commands import run_named

ANALYZER = "analyzer:"
"""Beginning of an overlay that is no file."""


def run(arguments: argparse.Namespace) -> int:
    """Draw and say where it is; ``--overlay analyzer:ID`` is another spelling of --analyzer."""
    overlay = str(arguments.overlay or "")
    if overlay.startswith(ANALYZER):
        arguments.overlay, arguments.analyzer = None, overlay.removeprefix(ANALYZER)
    return run_named("graph", arguments)
