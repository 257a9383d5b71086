"""The nodes of a graph in the colours of their places: on the chip, or on the processor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from studio.conversion.chips.results import ChipResult, Verdict
from studio.gui.graph.overlay import Overlay, state_overlay
from studio.workspace import nodes_within

if TYPE_CHECKING:
    from studio.gui.graph.scene import Scene
    from studio.gui.theme import Theme

ON_CHIP, PROCESSOR, REFUSED = "on chip", "processor", "refused"

_TOKENS = {ON_CHIP: "normalization", PROCESSOR: "product", REFUSED: "activation"}
"""Colours of the graph by place."""


def placement_overlay(result: ChipResult, scene: Scene, theme: Theme) -> Overlay | None:
    """Return the places of the nodes; None where the result names none of the scene."""
    boxes = list(_boxes(result, scene))
    if not boxes:
        return None
    states = {box: state for box, state, _ in boxes}
    texts = {box: text for box, _, text in boxes}
    colors = {state: theme.graph_color(token) for state, token in _TOKENS.items()}
    return state_overlay(f"Placement on {result.title}", states, colors, texts)


def box_of(scene: Scene, name: str) -> int | None:
    """Return the box with a node, alone or in a block."""
    for index, box in enumerate(scene.boxes):
        if box.node is not None and name in nodes_within(box.node):
            return index
    return None


def _boxes(result: ChipResult, scene: Scene) -> Iterator[tuple[int, str, str]]:
    """Yield boxes with their state and text; a block has the state of its worst node."""
    is_refused = result.verdict == Verdict.REFUSED.value
    left = REFUSED if is_refused else PROCESSOR
    names = frozenset(one.node for one in result.refused)
    for index, box in enumerate(scene.boxes):
        if box.node is None or not scene.width[index]:
            continue
        nodes = nodes_within(box.node)
        count = sum(name in names for name in nodes)
        if count:
            text = left if count == len(nodes) else f"{count} of {len(nodes)}: {left}"
            yield index, left, text
        elif not is_refused:
            yield index, ON_CHIP, ON_CHIP
