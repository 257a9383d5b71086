"""Drawings of a laid out graph that need no window: SVG, one-file HTML and PNG."""
