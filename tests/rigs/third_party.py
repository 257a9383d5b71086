"""The example plugin of a third party, in a user's folder of plugins."""

from __future__ import annotations

import shutil
from pathlib import Path

from studio.workspace import Workspace

PROJECT = Path(__file__).parents[2] / "examples" / "folder_plugin"
ID = "folder_plugin"


def place(home: Path) -> Path:
    """Copy the plugin to where a user puts plugins; nobody has agreed to it yet."""
    folder = home / "config" / "plugins" / ID
    shutil.copytree(PROJECT / ID, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def agree(workspace: Workspace) -> None:
    """Be the user who has looked at it."""
    workspace.allow_plugin(ID, workspace.plugins.plugin(ID).digest)
