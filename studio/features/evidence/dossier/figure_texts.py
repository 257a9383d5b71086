"""Figures as people read them."""

from __future__ import annotations

import math

from studio.documents.text_table import count, megabytes
from studio.features.evidence.results import Figure

_FEW = 4
_SHARES = "quality."
"""Start of the subjects whose figures are shares: one column has one number of decimals."""


def value_text(figure: Figure) -> str:
    """Return the value with its unit."""
    return _text(figure.value, figure)


def interval_text(figure: Figure) -> str:
    """Return the interval of 95 %; empty without one."""
    if figure.low is None or figure.high is None:
        return ""
    return f"{_text(figure.low, figure)} to {_text(figure.high, figure)}"


def _text(value: float, figure: Figure) -> str:
    if not math.isfinite(value):
        return "not known"
    if figure.unit == "B":
        return megabytes(value)
    if value == int(value) and abs(value) >= 10 ** (_FEW - 1):
        return count(value)
    if not figure.unit and figure.section.startswith(_SHARES):
        return f"{value:.{_FEW}f}"
    text = str(int(value)) if value == int(value) else f"{value:#.{_FEW}g}"
    return f"{text} {figure.unit}".rstrip()
