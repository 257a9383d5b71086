"""Settings as data, folders by the XDG rules, and the resources that ship with the studio."""

from studio.settings.files import make_private, write_atomically
from studio.settings.paths import SAFE_VARIABLE, Paths, full_path
from studio.settings.resources import resource
from studio.settings.store import SETTINGS, Settings

__all__ = [
    "SAFE_VARIABLE",
    "SETTINGS",
    "Paths",
    "Settings",
    "full_path",
    "make_private",
    "resource",
    "write_atomically",
]
