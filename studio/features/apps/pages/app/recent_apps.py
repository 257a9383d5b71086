"""Folders of the apps that were opened last, from one session to the next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.features.apps import is_app
from studio.gui import session_state as memory

if TYPE_CHECKING:
    from studio.settings import Settings

MOST = 6
_KEY = "apps"


def recent_apps(settings: Settings) -> list[Path]:
    """Return the folders that still are apps, the newest first."""
    stored = memory.recall(settings).get(_KEY)
    texts = stored if isinstance(stored, list) else []
    return [path for path in map(Path, map(str, texts)) if is_app(path)][:MOST]


def remember_app(settings: Settings, folder: Path) -> None:
    """Put the folder of an app in front of the others."""
    others = [str(path) for path in recent_apps(settings) if path != folder]
    memory.store(settings, **{_KEY: [str(folder), *others][:MOST]})
