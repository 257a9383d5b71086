"""``studio completion``: the completion script of a shell."""

from __future__ import annotations

import argparse

from studio.cli.output import print_json, print_lines
from studio.cli.shell.completion import SHELLS, completion
from studio.cli.shell.tree import command_tree


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("shell", choices=SHELLS, help="shell of the completion script")


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    from studio.cli.main import full_parser  # which loads this module

    script = completion(arguments.shell, command_tree(full_parser()))
    if arguments.json:
        print_json({"shell": arguments.shell, "script": script})
    else:
        print_lines(script.splitlines())
    return 0
