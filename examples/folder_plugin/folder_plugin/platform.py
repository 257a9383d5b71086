"""A folder as a platform: ``folder:/srv/models``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from folder_plugin.site import FolderSite
from studio.api import Option, Progress, TargetSpec, UsageError


class FolderPlatform:
    """The kind of place."""

    id = "folder"
    title = "Folder"
    schemes: tuple[str, ...] = ("folder",)
    options: Sequence[Option] = ()
    deploy_options: Sequence[Option] = ()

    def open(self, target: TargetSpec, progress: Progress) -> FolderSite:
        """Open a session with a folder; it need not be there yet."""
        folder = Path(target.url.partition(":")[2])
        if not folder.is_absolute():
            raise UsageError(f"{target.url} names no absolute folder.", hint="folder:/srv/models")
        return FolderSite(folder)
