"""What the window remembers from one session to the next, as JSON in one setting."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.settings import Settings

log = logging.getLogger(__name__)

KEY = "window"


def recall(settings: Settings) -> dict[str, object]:
    """Return the stored values; empty without any, or when they cannot be read."""
    try:
        values = json.loads(settings[KEY] or "{}")
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def keep(settings: Settings, name: str, value: object) -> str:
    """Store a setting; return why it is not kept, or an empty text."""
    try:
        settings[name] = value
    except OSError as error:
        return f"The settings cannot be stored: {error.strerror or error}."
    return ""


def store(settings: Settings, **values: object) -> None:
    """Store values in addition to the earlier ones; a full disk is no reason to stop."""
    try:
        settings[KEY] = json.dumps({**recall(settings), **values}, sort_keys=True)
    except OSError as error:
        log.warning("the state of the window could not be stored: %s", error)
