"""What the nodes of a graph cost, as overlays of the canvas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from studio.api import Node
from studio.gui import figures
from studio.gui.graph.overlay import Overlay, make_overlay
from studio.gui.graph.scene import Scene
from studio.lazy_dataclass import dataclass
from studio.workspace import nodes_within

if TYPE_CHECKING:
    from studio.workspace import GraphView


@dataclass(frozen=True, slots=True)
class CostKind:
    """A way to look at cost.

    Attributes:
        text: How a value is written.
        values: The cost by node name.
        unit: Of a value.
    """

    title: str
    legend: str
    text: Callable[[float], str]
    values: Callable[[GraphView], Mapping[str, float]]
    unit: str


def short_count(value: object) -> str:
    """Return a number with three figures and a unit: ``41.3 M``."""
    amount = figures.number(value)
    if amount is None:
        return figures.NOTHING
    for unit in ("", " k", " M", " G", " T"):
        if abs(amount) < 999.5 or unit == " T":
            return f"{amount:.0f}" if not unit else f"{amount:.3g}{unit}"
        amount /= 1000
    return figures.NOTHING


def macs(value: float) -> str:
    """Return a number of multiply-accumulates: ``41.3 M MACs``."""
    return f"{short_count(value)} MACs"


MACS = CostKind("MACs", "Multiply-accumulates of a node", macs, lambda view: view.macs, "MACs")
WEIGHTS = CostKind(
    "Weights", "Size of a node's constants", figures.size, lambda view: view.costs("weights"), "B"
)
WRITTEN = CostKind(
    "Bytes written",
    "Size of a node's results",
    figures.size,
    lambda view: view.costs("activations"),
    "B",
)
KINDS = (MACS, WEIGHTS)
"""What the switch of colours offers."""


def cost_of(node: Node, costs: Mapping[str, float]) -> float:
    """Return the cost of a node, or of all nodes of a block that was folded."""
    return sum(costs.get(name, 0.0) for name in nodes_within(node))


def cost_overlay(scene: Scene, view: GraphView, kind: CostKind) -> Overlay:
    """Return the numbers of one kind for the nodes that have them."""
    costs = kind.values(view)
    values = {
        index: total
        for index, box in enumerate(scene.boxes)
        if box.node is not None and (total := cost_of(box.node, costs))
    }
    return make_overlay(kind.legend, values, kind.text)
