"""``studio open``: the window."""

from __future__ import annotations

import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("model", nargs="?", help="model file or app to open")


def run(arguments: argparse.Namespace) -> int:
    """Open the window and stay until it is closed."""
    from studio.gui.app import run as run_window

    return run_window([arguments.model] if arguments.model else [])
