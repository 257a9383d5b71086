"""``studio samples``: models and data to begin with."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.session import add_step, run_step, workspace
from studio.documents.text_table import table


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(parser, list="what there is", get="put one into a folder")
    add_step(verbs["get"], "samples-get")


def run(arguments: argparse.Namespace) -> int:
    """List or get."""
    if arguments.verb == "get":
        return run_step("samples-get", arguments, describe)
    with workspace() as opened:
        samples = opened.samples()
    if arguments.json:
        print_json({"samples": [asdict(sample) for sample in samples]})
    else:
        rows = [(s.name, s.title, "download" if s.download else "included") for s in samples]
        print_lines(table(("name", "title", ""), rows))
    return 0


def describe(result: Mapping[str, Any]) -> list[str]:
    """Where the sample is."""
    return [f"{result['name']} is in {result['folder']}"]
