"""The model of a folder with several: an answer to a question on the terminal."""

from __future__ import annotations

import argparse

from studio.api import Cancelled, UsageError
from studio.cli.output import has_terminal, print_note, prompt
from studio.models.source_formats import SeveralModels

_MOST = 20
"""The models of a folder that a terminal lists; more are named by the error alone."""


def ask_model(error: UsageError, arguments: argparse.Namespace) -> str:
    """Ask which model of the command's folder is meant, and return its path.

    Raises:
        UsageError: the given one, when it is another error or there is no terminal.
        Cancelled: without an answer.
    """
    if not isinstance(error, SeveralModels) or error.folder != arguments.model:
        raise error
    if arguments.json or len(error.models) > _MOST or not has_terminal():
        raise error
    print_note(f"The folder {error.folder} has {len(error.models)} models:")
    for number, model in enumerate(error.models, 1):
        print_note(f"{number:4}  {model.name}")
    while answer := prompt(f"Which model? [1-{len(error.models)}]"):
        if answer.isdecimal() and 1 <= int(answer) <= len(error.models):
            return str(error.models[int(answer) - 1])
    raise Cancelled
