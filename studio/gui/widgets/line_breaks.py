"""Breaks within long words of a text, so that a path or a digest widens no list."""

from __future__ import annotations

import re

_LONG = re.compile(r"[^\s/-]{24}")
"""Qt breaks lines at spaces, slashes and hyphens itself."""


def breakable(text: str) -> str:
    """Return a text with break points for lines in which long words have none."""
    return _LONG.sub("\\g<0>\u200b", text)
