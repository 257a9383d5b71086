"""Drawings of a laid out graph that need no window: SVG, one-file HTML and PNG."""

from studio.models.drawing.html import html
from studio.models.drawing.overlay import Overlay, read_overlay
from studio.models.drawing.svg import svg

__all__ = ["Overlay", "html", "read_overlay", "svg"]
