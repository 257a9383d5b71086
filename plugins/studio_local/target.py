"""The connector to this computer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from studio.api import Kind, Option, Progress, TargetSpec
from studio_local.channel import LocalChannel


class LocalTarget:
    """This computer: always there, nothing to log in to."""

    id = "local"
    title = "This computer"
    schemes: tuple[str, ...] = ("local",)
    options: Sequence[Option] = (
        Option("root", Kind.TEXT, title="Folder", help="Where the releases are kept."),
    )

    def connect(self, target: TargetSpec, progress: Progress) -> LocalChannel:
        return LocalChannel()

    def default_root(self, target: TargetSpec) -> str:
        """Return the folder in the settings, else one in the studio's data folder."""
        if target.settings.get("root"):
            return target.settings["root"]
        home = os.environ.get("EDGEWRIGHT_HOME")
        if home:
            return str(Path(home).expanduser().absolute() / "data" / "releases")
        data = os.environ.get("XDG_DATA_HOME", "")
        base = data if os.path.isabs(data) else "~/.local/share"
        return f"{base}/edgewright/releases"
