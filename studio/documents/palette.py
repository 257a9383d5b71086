"""Colours of reports and figures, which are printed and shared.

They are the light palette of the window (``resources/themes/light.toml``).
"""

from __future__ import annotations

TEXT = "#1a1f29"
DIM = "#5d6778"
LINE = "#d6dbe3"
SURFACE = "#ffffff"
SERIES = ("#5d6778", "#2368e0", "#1f8f5f", "#a36a00", "#8a4fc4", "#cf3a2b")
"""Colours of rows and lines, in their order."""
