"""``studio samples``: models and data to begin with."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.session import add_step, workspace
from studio.cli.step_commands import run_named
from studio.documents.text_table import table


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(parser, list="what there is", get="put one into a folder")
    add_step(verbs["get"], "samples-get")


def run(arguments: argparse.Namespace) -> int:
    """List or get."""
    if arguments.verb == "get":
        return run_named("samples-get", arguments)
    with workspace() as opened:
        samples = opened.samples()
    if arguments.json:
        print_json({"samples": [asdict(sample) for sample in samples]})
    else:
        rows = [(s.name, s.title, "download" if s.download else "included") for s in samples]
        print_lines(table(("name", "title", ""), rows))
    return 0
