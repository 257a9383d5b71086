"""What the window remembers from one session to the next, as JSON in one setting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.settings import Settings

KEY = "window"


def recall(settings: Settings) -> dict[str, object]:
    """What was kept; empty when nothing was, or when it cannot be read."""
    try:
        values = json.loads(settings[KEY] or "{}")
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def store(settings: Settings, **values: object) -> None:
    """Keep values beside those that were kept before."""
    settings[KEY] = json.dumps({**recall(settings), **values}, sort_keys=True)
