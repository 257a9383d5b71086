"""What the nodes of a graph cost, as overlays of the canvas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.gui import figures
from studio.gui.graph.overlay import Overlay, make_overlay
from studio.gui.graph.scene import Scene

if TYPE_CHECKING:
    from studio.workspace import GraphView


@dataclass(frozen=True, slots=True)
class CostKind:
    """A way to look at cost.

    Attributes:
        name: As the workspace calls it.
        text: How a value is written.
    """

    name: str
    title: str
    legend: str
    text: Callable[[float], str]


def short_count(value: object) -> str:
    """A number with three figures and a unit: ``41.3 M``."""
    amount = figures.number(value)
    if amount is None:
        return figures.NOTHING
    for unit in ("", " k", " M", " G", " T"):
        if abs(amount) < 999.5 or unit == " T":
            return f"{amount:.0f}" if not unit else f"{amount:.3g}{unit}"
        amount /= 1000
    return figures.NOTHING


def macs(value: float) -> str:
    """A number of multiply-accumulates: ``41.3 M MACs``."""
    return f"{short_count(value)} MACs"


KINDS = (
    CostKind("macs", "MACs", "Multiply-accumulates a node", macs),
    CostKind("weights", "Weights", "Size of a node's constants", figures.size),
)


def cost_overlay(scene: Scene, view: GraphView, kind: CostKind) -> Overlay:
    """The numbers of one kind for the nodes that have them."""
    costs = view.costs(kind.name)
    values = {
        index: costs[box.name]
        for index, box in enumerate(scene.boxes)
        if box.node is not None and box.name in costs
    }
    return make_overlay(kind.legend, values, kind.text)
