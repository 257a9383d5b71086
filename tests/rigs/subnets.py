"""Addresses for the bridges of rigs, of the range for benchmarks between networks (RFC 2544)."""

from __future__ import annotations

import random
import subprocess

_TRIES = 50


def take_subnet(bridge: str, block: int) -> str:
    """Give a bridge the first address of a free subnet; returns the subnet's first three numbers.

    A subnet can be in use by another process of the tests, or by a bridge that a killed run has
    left behind: packets to its addresses would go there.

    Args:
        block: 18 or 19, the second number.
    """
    for _ in range(_TRIES):
        prefix = f"198.{block}.{random.randrange(250)}"
        ip("addr", "add", f"{prefix}.1/24", "dev", bridge)
        if ip("-4", "-brief", "addr").count(f" {prefix}.1/24") == 1:
            return prefix
        ip("addr", "del", f"{prefix}.1/24", "dev", bridge)
    raise AssertionError(f"no subnet of 198.{block} is free")


def ip(*words: str) -> str:
    """Run ``ip``; returns what it prints."""
    done = subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=30)
    return done.stdout
