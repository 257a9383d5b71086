"""``studio chips``: the chips that models can be checked for, for ``studio check --for``."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.session import workspace
from studio.documents.text_table import table
from studio.workspace import chip_lines


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_verbs(parser, list="list chips with their compilers")


def run(arguments: argparse.Namespace) -> int:
    """List."""
    with workspace() as opened:
        lines = chip_lines(opened.plugins)
    if arguments.json:
        print_json({"chips": [asdict(line) for line in lines]})
        return 0
    rows = [
        (one.id, one.title, one.compiler, one.preset, one.state, ", ".join(one.boards))
        for one in lines
    ]
    print_lines(table(("chip", "title", "compiler", "preset", "state", "boards"), rows))
    return 0
