"""The pull client of a board: it polls a hawkBit-compatible server and installs what it offers."""

from __future__ import annotations

from typing import List


def main(arguments: List[str]) -> int:
    """Run one verb and return the exit status."""
    from .command import main as run

    return run(arguments)
