"""Numbers painted on the nodes of a drawing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.api import InvalidData

# Five steps of viridis, each with the text colour that stays readable on it (contrast > 4.5).
_SCALE = (
    ("#440154", "#ffffff"),
    ("#414487", "#ffffff"),
    ("#2a788e", "#ffffff"),
    ("#22a884", "#000000"),
    ("#fde725", "#000000"),
)
_VALUE_KEYS = ("ms", "latency_ms", "value", "total_ms", "share")
_NAME_KEYS = ("node", "name")


@dataclass(frozen=True, slots=True)
class Overlay:
    """One number for each node that has one.

    Attributes:
        title: What the numbers are, for the legend.
        unit: Behind each number; may be empty.
    """

    values: Mapping[str, float]
    title: str = ""
    unit: str = ""

    def colours(self, name: str) -> tuple[str, str] | None:
        """Fill and text colour of a node; None where it has no number."""
        value = self.values.get(name)
        if value is None:
            return None
        low, high = self.bounds
        share = (value - low) / (high - low) if high > low else 0.0
        return _SCALE[min(int(share * len(_SCALE)), len(_SCALE) - 1)]

    @property
    def bounds(self) -> tuple[float, float]:
        """The ends of the scale; it starts at 0 unless a number is negative."""
        return min(0.0, *self.values.values(), 0.0), max(0.0, *self.values.values(), 0.0)

    def text(self, name: str) -> str:
        """The number as the node shows it; empty where it has none."""
        value = self.values.get(name)
        return "" if value is None else f"{short(value)} {self.unit}".strip()


def short(value: float) -> str:
    """A number in at most six characters: 1234567 is 1.23M."""
    for factor, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor:
            return f"{value / factor:.3g}{suffix}"
    return f"{value:.3g}"


def legend(overlay: Overlay) -> str:
    """What the colours mean, in one line."""
    low, high = overlay.bounds
    return f"{overlay.title} {short(low)} … {short(high)} {overlay.unit}".strip()


def read_overlay(path: Path) -> Overlay:
    """Read numbers from JSON: name to number, ``{"values": ..., "unit": ...}``, or a profile.

    Raises:
        InvalidData: when the file is none of these.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidData(f"The overlay {path.name} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise InvalidData(f"The overlay {path.name} is not JSON.") from None
    overlay = _from_json(data)
    if overlay is None:
        raise InvalidData(
            f"The overlay {path.name} has no number for a node.",
            hint='Write {"values": {"node name": 1.5}, "unit": "ms"}, or give a profile\'s JSON.',
        )
    return overlay


def _from_json(data: Any) -> Overlay | None:
    if not isinstance(data, dict):
        return None
    if isinstance(data.get("operators"), list):
        return _checked(_operators(data["operators"]), "Latency", "ms")
    if isinstance(data.get("values"), dict):
        return _checked(data["values"], str(data.get("title", "")), str(data.get("unit", "")))
    return _checked(data, "", "")


def _operators(rows: list[Any]) -> dict[str, Any]:
    """Rows of a profile: the name and the time of each operator."""
    values: dict[str, Any] = {}
    for row in rows:
        if isinstance(row, dict):
            name = next((row[key] for key in _NAME_KEYS if key in row), None)
            value = next((row[key] for key in _VALUE_KEYS if key in row), None)
            if isinstance(name, str):
                values[name] = value
    return values


def _checked(values: Mapping[str, Any], title: str, unit: str) -> Overlay | None:
    numbers = {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }
    return Overlay(numbers, title, unit) if numbers else None
