"""Settings as data, folders by the XDG rules, and the resources that ship with the studio."""

from studio.settings.files import make_private, write_atomically
from studio.settings.paths import SAFE_VARIABLE, Paths
from studio.settings.resources import resource
from studio.settings.store import SETTINGS, Settings

__all__ = [
    "SAFE_VARIABLE",
    "SETTINGS",
    "Paths",
    "Settings",
    "make_private",
    "resource",
    "write_atomically",
]
