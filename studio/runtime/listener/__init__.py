"""The gate: one process keeps the port, and releases take turns at answering there."""

from __future__ import annotations

from typing import List


def main(arguments: List[str]) -> int:
    """Run the ``gate`` command."""
    from .command import main as run

    return run(arguments)
