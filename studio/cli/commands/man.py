"""``studio man``: the manual page."""

from __future__ import annotations

import argparse

from studio.cli.output import print_json, print_lines
from studio.cli.shell.manual import manual
from studio.cli.shell.tree import command_tree


def add(parser: argparse.ArgumentParser) -> None:
    """Take no arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Print the page."""
    from studio.cli.main import EXIT_CODES, full_parser  # which loads this module

    parser = full_parser()
    codes = " ".join(EXIT_CODES.split()).removeprefix("exit codes: ")
    page = manual(command_tree(parser), parser.description or "", codes)
    if arguments.json:
        print_json({"page": page})
    else:
        print_lines(page.splitlines())
    return 0
