"""``studio mcp``: a server of the Model Context Protocol on standard input and output."""

from __future__ import annotations

import argparse
import sys

from studio.workspace import Workspace


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    text = "offer only the tools that read, and no plans"
    parser.add_argument("--read-only", action="store_true", help=text)


def run(arguments: argparse.Namespace) -> int:
    """Serve until standard input ends."""
    from studio.agents.server import serve

    assert sys.__stdin__ is not None
    assert sys.__stdout__ is not None
    with Workspace.open() as opened:
        opened.set_source("agent")
        # Standard output itself: the stream of commands would alter the protocol's texts.
        serve(opened, sys.__stdin__.buffer, sys.__stdout__.buffer, read_only=arguments.read_only)
    return 0
