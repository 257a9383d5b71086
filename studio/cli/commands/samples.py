"""``studio samples``: models and data to begin with."""

from __future__ import annotations

import argparse

from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.session import add_step, workspace
from studio.cli.step_commands import run_named
from studio.documents.text_table import table

_KEYS = ("name", "title", "summary", "download")
"""Of a sample with --json; the rest is for the gallery of the window."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(parser, list="list samples", get="copy or download a sample into a folder")
    add_step(verbs["get"], "samples-get")


def run(arguments: argparse.Namespace) -> int:
    """List or get."""
    if arguments.verb == "get":
        return run_named("samples-get", arguments)
    with workspace() as opened:
        samples = opened.samples()
    if arguments.json:
        print_json({"samples": [{key: getattr(one, key) for key in _KEYS} for one in samples]})
    else:
        rows = [(s.name, s.title, "download" if s.download else "included") for s in samples]
        print_lines(table(("name", "title", ""), rows))
    return 0
