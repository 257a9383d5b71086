"""``studio sign``: a bundle signed with an SSH key."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "sign")


def run(arguments: argparse.Namespace) -> int:
    """Sign and print."""
    return run_step("sign", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """What was written."""
    files = [str(result[name]) for name in ("signature", "openssf") if name in result]
    return [*files, f"digest {result['digest']}"]
