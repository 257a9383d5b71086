"""The inference server: one program for boards, containers and this computer."""

from __future__ import annotations

from typing import List


def main(arguments: List[str]) -> int:
    """Run the ``serve`` command."""
    from .command import main as run

    return run(arguments)
