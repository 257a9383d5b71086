"""Apps on the desk: their files read and checked, run, and tested on recordings."""

from __future__ import annotations

from pathlib import Path

FILE = "app.toml"
OUTPUTS = "outputs"
"""Folder of a job with the files that sinks of its app write."""


def is_app(path: Path) -> bool:
    """Return whether a path is the folder of an app, or its ``app.toml``."""
    return (path / FILE).is_file() or (path.name == FILE and path.is_file())
