"""``studio monitor``: how what a target serves is doing."""

from __future__ import annotations

import argparse

from studio.cli.flags import add_more_verbs
from studio.cli.session import add_step
from studio.cli.step_commands import run_named


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "monitor")
    verbs = add_more_verbs(
        parser,
        export="write configuration for Prometheus, Alertmanager and Grafana",
        history="show the history of a metric from a Prometheus server",
        fleet="monitor all targets",
        test="send a test alert to the channels of an alert file",
        silence="silence alerts for a period, or list silences",
    )
    for verb, parts in verbs.items():
        add_step(parts, f"monitor-{verb}")


def run(arguments: argparse.Namespace) -> int:
    """Monitor a target and print the samples."""
    verb = getattr(arguments, "verb", None)
    return run_named(f"monitor-{verb}" if verb else "monitor", arguments)
