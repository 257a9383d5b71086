"""``studio coverage``: will a model run there?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.flags import given
from studio.cli.session import add_step, finish, workspace

_MISSED = 3


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "coverage")


def run(arguments: argparse.Namespace) -> int:
    """Check and print; what will not run is a missed gate."""
    with workspace() as opened:
        outcome = opened.run("coverage", **given(arguments, opened.steps["coverage"].form))
    code = finish(outcome, arguments, describe)
    return _MISSED if not code and not outcome.result["covered"] else code


def describe(result: Mapping[str, Any]) -> list[str]:
    """Yes, or what is in the way; of a board also its other systems, and what is known of it."""
    where = " on ".join(filter(None, (result["runtime"], result["target"])))
    if result["covered"]:
        lines = [f"Compatible with {where}; needs about {result['memory_mb']:,.0f} MB."]
    else:
        lines = [f"Not compatible with {where}:", *_problems(result)]
    for one in result.get("systems", ())[1:]:
        said = "loads" if one["covered"] else one["problems"][0]["text"]
        lines.append(f"On {one['name']} ({one['runtime'] or 'no onnxruntime'}): {said}")
    return lines + [f"Note: {note}" for note in result.get("notes", ())]


def _problems(result: Mapping[str, Any]) -> list[str]:
    lines = []
    for problem in result["problems"]:
        lines.append(f"{problem['code']:<7} {problem['text']}")
        if problem["hint"]:
            lines.append(f"        {problem['hint']}")
    return lines
