"""``studio call``: requests sent to what a target serves."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "call")


def run(arguments: argparse.Namespace) -> int:
    """Send the requests and print."""
    return run_step("call", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """How many were answered, and how fast; or the program that was asked for."""
    if "code" in result:
        return list(result["code"].splitlines())
    latency = result["latency_ms"]
    return [
        f"{result['answered']} of {result['requests']} requests answered in "
        f"{result['seconds']:.2f} s; p50 {latency['p50']:.2f} ms, p90 {latency['p90']:.2f} ms."
    ]
