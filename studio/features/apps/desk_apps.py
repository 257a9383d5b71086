"""Apps for the core: opened, packaged and tested."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.features.apps import is_app

if TYPE_CHECKING:
    from studio.features.apps.content import AppContent
    from studio.features.apps.files import AppFiles
    from studio.features.apps.work import AppReplay
    from studio.jobs import Job


class DeskApps:
    """What ``app_slot.Apps`` asks; its modules are loaded when an app is there."""

    def is_app(self, path: Path) -> bool:
        """Return whether a path is the folder of an app, or its ``app.toml``."""
        return is_app(path)

    def open(self, path: Path) -> AppFiles:
        """Read an app."""
        from studio.features.apps.files import AppFiles

        return AppFiles.open(path)

    def content(self, path: Path, digest: str) -> AppContent:
        """Return what travels with the model of a digest."""
        from studio.features.apps.content import AppContent

        return AppContent.open(path, digest)

    def replay(self, path: Path, allow_code: bool, job: Job) -> AppReplay:
        """Run the recordings of an app's test."""
        from studio.features.apps.step import AppTestOptions
        from studio.features.apps.work import replayed

        return replayed(AppTestOptions(app=path, allow_code=allow_code), job)


APPS = DeskApps()
