"""Numbers or states painted on the boxes of a graph, with readable text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from PySide6.QtGui import QColor

from studio.lazy_dataclass import dataclass

SCALE = ("#2c2f6b", "#2a5783", "#22807f", "#4fa765", "#b3c646", "#f3e255")
"""From little to much: lightness grows evenly, so that it is read without seeing hues."""

_SHADES = 255


@dataclass(frozen=True, slots=True)
class Overlay:
    """A number or a state for each box that has one.

    Attributes:
        title: What is shown, with its unit.
        least, most: Text of the ends of the scale.
        colors, inks, texts: Ground, text colour and text of a box, by box.
        keys: Title and colour of each state; empty where the colours are a scale.
        counts: How many boxes are in each state.
    """

    title: str
    least: str
    most: str
    colors: Mapping[int, QColor]
    inks: Mapping[int, QColor]
    texts: Mapping[int, str]
    keys: Sequence[tuple[str, QColor]] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def make_overlay(title: str, values: Mapping[int, float], text: Callable[[float], str]) -> Overlay:
    """Scale values from 0, or the least where some are negative, and give each its colour.

    Args:
        values: By box.
        text: How a value is written on its box.
    """
    most = max(0.0, *values.values(), 0.0)
    least = min(0.0, *values.values(), 0.0)
    span = (most - least) or 1.0
    shades = {box: round(_SHADES * (value - least) / span) for box, value in values.items()}
    # A colour for each shade, not for each of 50,000 boxes.
    grounds = {shade: heat(shade / _SHADES) for shade in set(shades.values())}
    inks = {shade: readable_on(ground) for shade, ground in grounds.items()}
    return Overlay(
        title=title,
        least=text(least),
        most=text(most),
        colors={box: grounds[shade] for box, shade in shades.items()},
        inks={box: inks[shade] for box, shade in shades.items()},
        texts={box: text(value) for box, value in values.items()},
    )


def state_overlay(
    title: str,
    states: Mapping[int, str],
    colors: Mapping[str, QColor],
    texts: Mapping[int, str] | None = None,
) -> Overlay:
    """Give each box the colour of its state.

    Args:
        states: By box.
        colors: By state, in the order of the legend; those that do not occur are left out of it.
        texts: What is written on a box; its state by default.
    """
    inks = {state: readable_on(color) for state, color in colors.items()}
    present = Counter(states.values())
    return Overlay(
        title=title,
        least="",
        most="",
        colors={box: colors[state] for box, state in states.items()},
        inks={box: inks[state] for box, state in states.items()},
        texts=states if texts is None else {**states, **texts},
        keys=tuple((state, color) for state, color in colors.items() if state in present),
        counts=present,
    )


def heat(share: float) -> QColor:
    """Return the colour of a share between 0 and 1."""
    place = min(max(share, 0.0), 1.0) * (len(SCALE) - 1)
    index = min(int(place), len(SCALE) - 2)
    low, high, part = QColor(SCALE[index]), QColor(SCALE[index + 1]), place - index
    return QColor(
        *(
            round(a + (b - a) * part)
            for a, b in zip(low.getRgb()[:3], high.getRgb()[:3], strict=True)  # type: ignore[index]
        )
    )


def readable_on(ground: QColor) -> QColor:
    """Black or white, whichever has more contrast; the better one has at least 4.5 to 1."""
    return QColor("#ffffff") if luminance(ground) < 0.179 else QColor("#000000")


def luminance(color: QColor) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = (color.redF(), color.greenF(), color.blueF())
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio of two colours, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
