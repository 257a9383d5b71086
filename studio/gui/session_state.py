"""What the window remembers from one session to the next, as JSON in one setting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.settings import Settings

KEY = "window"


def recall(settings: Settings) -> dict[str, object]:
    """Return the stored values; empty without any, or when they cannot be read."""
    try:
        values = json.loads(settings[KEY] or "{}")
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def store(settings: Settings, **values: object) -> None:
    """Store values in addition to the earlier ones."""
    settings[KEY] = json.dumps({**recall(settings), **values}, sort_keys=True)
