"""``studio rollout``: one release for several targets."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.flags import given
from studio.cli.session import add_step, finish, workspace
from studio.documents.text_table import table

_MISSED = 3


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "rollout")


def run(arguments: argparse.Namespace) -> int:
    """Roll out and print; a halted rollout is a missed gate."""
    with workspace() as opened:
        outcome = opened.run("rollout", **given(arguments, opened.steps["rollout"].form))
    code = finish(outcome, arguments, describe)
    return _MISSED if not code and outcome.result["state"] != "done" else code


def describe(result: Mapping[str, Any]) -> list[str]:
    """A line for each target, then the outcome."""
    rows = [
        (row["target"], str(row["wave"]), row["state"], f"{row['seconds']:.1f} s", row["text"])
        for row in result["targets"]
    ]
    return [
        *table(("target", "wave", "state", "time", ""), rows),
        f"Version {result['version']} of {result['name']}: {result['state']}, kept on "
        f"{result['kept']} of {len(rows)} targets after {result['seconds']:.1f} s.",
    ]
