"""``studio releases``: what was released on a target."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.flags import given
from studio.cli.output import fail_job, print_json, print_lines
from studio.cli.session import add_step, workspace
from studio.documents.text_table import table
from studio.registry import Registry


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "releases")
    parser.add_argument(
        "--everywhere",
        action="store_true",
        help="what this studio did on all targets, by its own record: which model ran where and "
        "when, and who changed it",
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask the target (or the registry, of all targets) and print."""
    with workspace() as opened:
        if arguments.everywhere:
            return _everywhere(opened.registry, arguments)
        outcome = opened.run("releases", **given(arguments, opened.steps["releases"].form))
    if not outcome.ok:
        return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
    releases = outcome.result["releases"]
    if arguments.json:
        print_json(releases)
    elif releases:
        names = ("version", "state", "at", "release", "reason")
        print_lines(table(names, [_row(row) for row in releases]))
        print_lines(_serving(outcome.result))
    else:
        print_lines(["Nothing was released there yet."])
    return 0


def _serving(result: Mapping[str, Any]) -> list[str]:
    """Where the current release answers, or why it does not."""
    if result.get("state") == "serving" and result.get("endpoint"):
        return [f"Endpoint: {result['endpoint']}"]
    return [str(result["text"])] if result.get("text") else []


def _everywhere(registry: Registry, arguments: argparse.Namespace) -> int:
    rows = [
        {
            "target": one.target,
            "name": one.details.get("name") or "",
            "version": one.details.get("version"),
            "release": one.digest,
            "state": one.state,
            "at": one.created,
            "by": one.details.get("by") or "",
            "reason": one.details.get("reason") or "",
        }
        for one in registry.releases()
        if arguments.target in (None, one.target)
    ]
    if arguments.json:
        print_json(rows)
    elif rows:
        names = ("at", "target", "name", "version", "state", "by", "reason")
        print_lines(table(names, [tuple(str(row[name] or "") for name in names) for row in rows]))
    else:
        print_lines(["Nothing was released yet."])
    return 0


def _row(release: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(release["version"]),
        str(release["state"]),
        str(release["at"]),
        str(release["release"])[:12],
        str(release.get("reason") or ""),
    )
