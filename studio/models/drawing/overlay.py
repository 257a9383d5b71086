"""Numbers painted on the nodes of a drawing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from studio.api import Graph, InvalidData, Node
from studio.lazy_dataclass import dataclass
from studio.models.walk import BLOCK_DOMAIN, INSIDE

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


@dataclass(frozen=True)
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

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """The ends of the scale; it starts at 0 unless a number is negative."""
        return min([0.0, *self.values.values()]), max([0.0, *self.values.values()])

    @property
    def adds_up(self) -> bool:
        """Whether the sum of the nodes' numbers is meaningful for a block."""
        return self.unit not in ("dB", "%")

    def text(self, name: str) -> str:
        """Return the number as the node shows it, or "" if it has none."""
        value = self.values.get(name)
        return "" if value is None else f"{short(value)} {self.unit}".strip()


def on_nodes(overlay: Overlay, graph: Graph) -> Overlay:
    """Return numbers by the place of each node; a folded block has the sum of its nodes.

    Of numbers that do not add up it has the largest.
    """
    join: Callable[[list[float]], float] = sum if overlay.adds_up else max

    def total(node: Node) -> float | None:
        if node.domain != BLOCK_DOMAIN:
            return overlay.values.get(node.name)
        found = [value for one in node.blocks[INSIDE].nodes if (value := total(one)) is not None]
        return join(found) if found else None

    numbers = {
        str(place): value
        for place, node in enumerate(graph.nodes)
        if (value := total(node)) is not None
    }
    return Overlay(numbers, overlay.title, overlay.unit)


def short(value: float) -> str:
    """Return a number in at most six characters: 1234567 is 1.23M."""
    for factor, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor:
            return f"{value / factor:.3g}{suffix}"
    return f"{value:.3g}"


def legend(overlay: Overlay) -> str:
    """Return the meaning of the colours in one line."""
    low, high = overlay.bounds
    return f"{overlay.title} {short(low)} … {short(high)} {overlay.unit}".strip()


def read_overlay(path: Path, names: Collection[str] = ()) -> Overlay:
    """Read numbers of nodes from JSON.

    Name to number, ``{"values": ..., "unit": ..., "title": ...}``, the result of a profile with
    operators, or that of a quantization that chose its layers.

    Args:
        names: Nodes of the graph; of several measured variants the one with most of them is taken.

    Raises:
        InvalidData: when the file has none of these forms.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidData(f"The overlay {path.name} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise InvalidData(f"The overlay {path.name} is not JSON.") from None
    known = frozenset(names)
    found = max(_from_json(data), key=lambda one: len(known & one.values.keys()), default=None)
    if found is None:
        raise InvalidData(
            f"The overlay {path.name} has no number for a node.",
            hint='Write {"values": {"node name": 1.5}, "unit": "ms"}, or give a profile\'s JSON.',
        )
    return found


def _from_json(data: Any) -> Iterator[Overlay]:
    """Yield the overlays that fit the file; of equal ones the first is used."""
    if not isinstance(data, dict):
        return
    if isinstance(data.get("operators"), list):
        for values in _profiled(data["operators"]):
            yield from _checked(values, "Time", "ms")
        return
    layers = data["search"].get("layers") if isinstance(data.get("search"), dict) else None
    if isinstance(layers, dict):
        rows = {name: row.get("sqnr_db") for name, row in layers.items() if isinstance(row, dict)}
        yield from _checked(rows, "Signal to noise of a layer alone", "dB")
    elif isinstance(data.get("values"), dict):
        unit = str(data.get("unit", ""))
        yield from _checked(data["values"], str(data.get("title", "")), unit)
    else:
        yield from _checked(data, "", "")


def _profiled(rows: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield times in milliseconds by node, for each measured variant or a single one."""
    runs = [row for row in rows if isinstance(row, dict) and isinstance(row.get("nodes"), list)]
    for run in runs:
        yield {
            node["name"]: node["us"] / 1000
            for node in run["nodes"]
            if isinstance(node, dict) and isinstance(node.get("us"), int | float)
        }
    if not runs:
        yield _operators(rows)


def _operators(rows: list[Any]) -> dict[str, Any]:
    """Return rows with the name and the time of each operator."""
    values: dict[str, Any] = {}
    for row in rows:
        if isinstance(row, dict):
            name = next((row[key] for key in _NAME_KEYS if key in row), None)
            value = next((row[key] for key in _VALUE_KEYS if key in row), None)
            if isinstance(name, str):
                values[name] = value
    return values


def _checked(values: Mapping[str, Any], title: str, unit: str) -> Iterator[Overlay]:
    numbers = {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }
    if numbers:
        yield Overlay(numbers, title, unit)
