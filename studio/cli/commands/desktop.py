"""``studio desktop``: the studio in the desktop's menu, with its icon and file types."""

from __future__ import annotations

import argparse

from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.settings.desktop_entry import DesktopFiles, own_program


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_verbs(
        parser,
        install="add the studio to your menu, with its icon and file types",
        remove="remove the studio from your menu",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write or delete the files, and list them."""
    files = DesktopFiles.of_user()
    install = arguments.verb == "install"
    paths = files.install(own_program()) if install else files.remove()
    if arguments.json:
        print_json({"installed" if install else "removed": [str(path) for path in paths]})
        return 0
    done = "Saved" if install else "Removed"
    print_lines([f"{done} {path}" for path in paths] or ["The studio is not in the menu."])
    return 0
