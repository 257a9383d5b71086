"""``studio mcp``: a server of the Model Context Protocol on standard input and output."""

from __future__ import annotations

import argparse
import os

from studio.workspace import Workspace


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    text = "offer only the tools that read, and no plans"
    parser.add_argument("--read-only", action="store_true", help=text)


def run(arguments: argparse.Namespace) -> int:
    """Serve until standard input ends."""
    from studio.agents.server import serve

    # Standard output itself: the stream of commands would alter the protocol's texts.
    source, out = os.fdopen(0, "rb", closefd=False), os.fdopen(1, "wb", closefd=False)
    with Workspace.open() as opened, source, out:
        opened.set_source("agent")
        serve(opened, source, out, read_only=arguments.read_only)
    return 0
