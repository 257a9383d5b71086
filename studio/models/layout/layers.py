"""Layers by the longest path, with chains of dummies where an edge passes layers.

A value that is read very far below runs along the drawing instead, on a rail: a chain through
thousands of layers would join what is otherwise a sequence of small, equal pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_MOST_DUMMIES = 250_000

RAIL_FROM = 200
"""Layers below its source from which on a reader is reached by a rail."""


@dataclass(slots=True)
class Layered:
    """A layered graph: ids below ``real`` are boxes, the others dummies.

    Attributes:
        rows: Ids of each layer, top first.
        layer: Layer of each id.
        up, down: Neighbours of each id in the layer above and below.
        chains: The dummies below each box that has any, top first. All edges that leave one box
            share its chain, so that a value which is read everywhere costs one dummy a layer.
        rails: The last layer that is reached from each box whose edges run on a rail; only its
            neighbours in the next layer are reached otherwise.
        rail_ends: How many edges leave to a rail, or arrive from one, at each box that has some.
    """

    real: int
    rows: list[list[int]]
    layer: list[int]
    up: list[list[int]]
    down: list[list[int]]
    chains: dict[int, list[int]]
    rails: dict[int, int]
    rail_ends: dict[int, int]


def layered(
    count: int,
    pairs: Sequence[tuple[int, int]],
    drawn: Sequence[bool],
    inputs: int,
    outputs: int | None = None,
) -> Layered:
    """Assign layers to ``count`` boxes, the inputs first.

    Args:
        pairs: Distinct connections (from, to), free of cycles.
        drawn: Boxes that are not drawn get no layer (-1).
        outputs: How many of the last boxes stand in a layer of their own below all others, where
            the inputs stand in the first one, too; None for terminals that stand where they like.
    """
    layer = _longest_paths(count, pairs, inputs)
    if outputs is not None:
        layer[:inputs] = [0] * inputs
        last = count - outputs
        layer[last:] = [max(layer[:last], default=-1) + 1] * outputs
    for box in range(count):
        if not drawn[box]:
            layer[box] = -1
    readers: list[list[int]] = [[] for _ in range(count)]
    for source, target in pairs:
        readers[source].append(target)
    result = Layered(
        real=count,
        rows=[[] for _ in range(max(layer, default=-1) + 1)],
        layer=layer,
        up=[[] for _ in range(count)],
        down=[[] for _ in range(count)],
        chains={},
        rails={},
        rail_ends={},
    )
    for box in range(count):
        if layer[box] >= 0:
            result.rows[layer[box]].append(box)
    longest = min(_longest_span(layer, readers), RAIL_FROM)
    for source in range(count):
        targets = readers[source]
        last = max((layer[target] for target in targets), default=0)
        if last - layer[source] > longest:
            far = [target for target in targets if layer[target] > layer[source] + 1]
            targets = [target for target in targets if layer[target] == layer[source] + 1]
            result.rails[source] = last
            for box, edges in ((source, len(far)), *((target, 1) for target in far)):
                result.rail_ends[box] = result.rail_ends.get(box, 0) + edges
        _connect(result, source, targets)
    return result


def _longest_paths(count: int, pairs: Sequence[tuple[int, int]], inputs: int) -> list[int]:
    """Return layers from the top; a box without inputs is right above its first reader."""
    readers: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target in pairs:
        readers[source].append(target)
        waiting[target] += 1
    ready = [box for box in range(count) if waiting[box] == 0]
    layer = [0] * count
    reached = [False] * count
    for box in ready:  # grows while it is walked
        below = layer[box] + 1
        for reader in readers[box]:
            if layer[reader] < below:
                layer[reader] = below
            if reached[box] or box < inputs:
                reached[reader] = True
            waiting[reader] -= 1
            if waiting[reader] == 0:
                ready.append(reader)
    for box in reversed(ready):
        if readers[box] and not reached[box]:
            layer[box] = min(layer[reader] for reader in readers[box]) - 1
    return layer


def _longest_span(layer: Sequence[int], readers: Sequence[Sequence[int]]) -> int:
    """Return the longest edge that gets a chain, so that all chains together stay within bounds."""
    spans = sorted(
        max(layer[target] for target in targets) - layer[source] - 1
        for source, targets in enumerate(readers)
        if targets
    )
    total = 0
    for span in spans:
        total += span
        if total > _MOST_DUMMIES:
            return max(span, 1)
    return RAIL_FROM


def _connect(graph: Layered, source: int, targets: Iterable[int]) -> None:
    """Connect a box with its readers, by a chain of dummies where they are far below."""
    chain: list[int] = []
    top = graph.layer[source]
    for target in sorted(targets, key=lambda box: (graph.layer[box], box)):
        while top + len(chain) + 1 < graph.layer[target]:
            chain.append(_dummy(graph, chain[-1] if chain else source))
        passed = graph.layer[target] - top - 1
        above = chain[passed - 1] if passed else source
        graph.down[above].append(target)
        graph.up[target].append(above)
    if chain:
        graph.chains[source] = chain


def _dummy(graph: Layered, above: int) -> int:
    dummy = len(graph.layer)
    graph.layer.append(graph.layer[above] + 1)
    graph.rows[graph.layer[dummy]].append(dummy)
    graph.up.append([above])
    graph.down.append([])
    graph.down[above].append(dummy)
    return dummy
