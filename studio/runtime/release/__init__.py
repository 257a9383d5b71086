"""The release machine of a target: receive, verify, stage, probe, switch, commit or go back."""

from __future__ import annotations


def main(arguments: list[str]) -> int:
    """Run one verb and return the exit status."""
    from .command import main as run

    return run(arguments)
