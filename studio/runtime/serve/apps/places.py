"""Folders of an app: its bundle, the root of the releases, and its data."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Optional

from ...shared.errors import LoadError
from ..engine.served_model import ServedModel
from ..release_root import run_folder_of


def bundle_folder(model: ServedModel) -> Optional[Path]:
    """Return the folder of a model's bundle; None for a bare file."""
    folder = model.source.path.parent
    return folder if (folder / "manifest.json").is_file() else None


def is_app(folder: Path) -> bool:
    """Return whether a bundle has an app, without reading much of it."""
    return (folder / "app" / "app.toml").is_file()


def root_of(folder: Path) -> Optional[Path]:
    """Return the root of the releases of which a bundle is one; None for another folder."""
    return folder.parent.parent if folder.parent.name == "releases" else None


def data_folder(folder: Path) -> Path:
    """Return where the app of a bundle keeps what it must not lose."""
    run = run_folder_of(folder / "manifest.json")
    given = os.environ.get("EDGEWRIGHT_APP_DATA", "")
    if run is not None:
        return run / "app"
    if given:
        return Path(given)
    return _own_folder(Path(tempfile.gettempdir(), "edgewright-app-" + folder.name))


def _own_folder(path: Path) -> Path:
    """Return a folder among temporary files, where others could have made one of that name."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    state = path.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        raise LoadError(
            "{} belongs to another user: set EDGEWRIGHT_APP_DATA to a folder.".format(path)
        )
    path.chmod(0o700)
    return path
