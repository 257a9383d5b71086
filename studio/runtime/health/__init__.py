"""Whether the server of a container is well: for its health check, and before it gets its turn."""

from __future__ import annotations

from typing import List


def main(arguments: List[str]) -> int:
    """Run the ``health`` command."""
    from .command import main as run

    return run(arguments)
