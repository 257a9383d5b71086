"""``studio monitor``: how what a target serves is doing."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "monitor")


def run(arguments: argparse.Namespace) -> int:
    """Look and print."""
    return run_step("monitor", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """The state in a few lines."""
    latency = result["latency_ms"]
    lines = [
        f"health      {result['health']}",
        f"throughput  {result['throughput']:.1f} requests/s",
        "latency     "
        + ", ".join(f"{name} {_ms(latency, name)}" for name in ("p50", "p90", "p99")),
        f"errors      {result['errors']}",
    ]
    return lines + [f"alert       {alert['text']}" for alert in result["alerts"]]


def _ms(latency: Mapping[str, Any], name: str) -> str:
    value = latency.get(name)
    return "-" if value is None else f"{value:.2f} ms"
