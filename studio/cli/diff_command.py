"""``studio diff``: what changed between two models."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from studio.cli.session import add_step, run_step

_MOST = 8
"""Lines of each sort; ``--json`` has them all."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "diff")


def run(arguments: argparse.Namespace) -> int:
    """Compare and print."""
    return run_step("diff", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """The counts, then what happened, the most frequent first."""
    lines = [
        f"{result['matched']:,} of {result['compute']:,} compute nodes matched, "
        f"{result['changed']:,} pairs changed, {result['added']:,} nodes added, "
        f"{result['removed']:,} removed, {result['folded']:,} constants folded"
    ]
    lines += _counted(pair["text"] for pair in result["pairs"] if pair["text"])
    lines += _counted(_change(one) for pair in result["pairs"] for one in pair["changes"])
    lines += _counted(f"{one['operator']} was added" for one in result["inserted"])
    return (
        lines
        + [f"{one['name']} ({one['operator']}): {one['text']}" for one in result["lost"]][:_MOST]
    )


def _change(change: Mapping[str, str]) -> str:
    return f"{change['what']}: {change['before'] or 'none'} -> {change['after'] or 'none'}"


def _counted(texts: Iterable[str]) -> list[str]:
    return [f"{count:>5} x {text}" for text, count in Counter(texts).most_common(_MOST)]
