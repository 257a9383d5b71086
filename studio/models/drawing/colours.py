"""Colours of drawings on paper; all but terminals carry white text with a contrast above 4.5."""

from __future__ import annotations

PAPER = "#f3f5f8"
GROUND = "#dbe4f3"
EDGE = "#5d6778"
INK = "#1a1f29"
FILLS = {
    "terminal": "#e6e9ef",
    "convolution": "#1f5fa8",
    "product": "#6b4e12",
    "activation": "#8a4b1f",
    "normalization": "#5a4a9c",
    "pooling": "#1f6e5c",
    "shape": "#4a5568",
    "quantization": "#8f2f5b",
    "control": "#7a1f2b",
    "arithmetic": "#39506b",
    "block": "#33415f",
    "other": "#3f4a3c",
    "unmeasured": "#4a5568",
}
