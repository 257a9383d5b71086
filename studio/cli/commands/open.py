"""``studio open``: the window."""

from __future__ import annotations

import argparse
import contextlib

from studio.settings import full_path


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("model", nargs="?", help="model file, folder or app to open")


def run(arguments: argparse.Namespace) -> int:
    """Open the window and stay until it is closed."""
    if arguments.model and full_path(arguments.model).is_dir():
        _refuse_several(arguments.model)
    from studio.gui.app import run as run_window

    return run_window([arguments.model] if arguments.model else [])


def _refuse_several(folder: str) -> None:
    """Refuse a folder with several models before a window is there, which cannot ask."""
    from studio.cli.session import workspace
    from studio.steps.resolve import model_in_folder
    from studio.workspace.maintenance import DamagedRegistry

    with contextlib.suppress(DamagedRegistry), workspace() as opened:  # the window offers a copy
        model_in_folder(folder, lambda: opened.suffixes)
