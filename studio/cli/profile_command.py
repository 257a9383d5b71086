"""``studio profile``: latency, with verdicts that can be trusted."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.output import table
from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "profile")


def run(arguments: argparse.Namespace) -> int:
    """Profile and print."""
    return run_step("profile", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """A row for each run, then sentences: what failed, the verdicts, what makes them doubtful."""
    head = ("model", "runtime", "device", "computes in", "p50 ms", "p90", "p99", "error")
    lines = table(head, [_row(run) for run in result["runs"]], right="    rrrr")
    lines += [f"{run['id']}: {run['state']}: {run['reason']}" for run in _failed(result)]
    lines += [str(verdict["text"]) for verdict in result["verdicts"]]
    return lines + [str(note) for note in result["notes"]]


def _failed(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [run for run in result["runs"] if run["reason"]]


def _row(run: Mapping[str, Any]) -> tuple[str, ...]:
    latency = run.get("latency_ms") or {}
    error = run.get("max_error")
    return (
        str(run["model"]),
        str(run.get("runtime") or run["backend"]),
        str(run["device"] or "-"),
        str(run.get("precision") or "-"),
        *(_milliseconds(latency.get(name)) for name in ("p50", "p90", "p99")),
        "-" if error is None else f"{error:.1g}",
    )


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
