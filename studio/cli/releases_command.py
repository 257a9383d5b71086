"""``studio releases``: what was released on a target."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.flags import given
from studio.cli.output import fail_job, print_json, print_lines, table
from studio.cli.session import add_step, workspace


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "releases")


def run(arguments: argparse.Namespace) -> int:
    """Ask the target and print."""
    with workspace() as opened:
        outcome = opened.run("releases", **given(arguments, opened.steps["releases"].options))
    if not outcome.ok:
        return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
    releases = outcome.result["releases"]
    if arguments.json:
        print_json(releases)
    elif releases:
        print_lines(table(("version", "state", "at", "release"), [_row(row) for row in releases]))
    else:
        print("Nothing was released there yet.")
    return 0


def _row(release: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(release["version"]),
        str(release["state"]),
        str(release["at"]),
        str(release["release"])[:12],
    )
