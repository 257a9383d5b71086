"""Two graphs and their diff: the state of each box, its counterpart, and where that one is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from studio.gui.graph.costs import KINDS, WEIGHTS
from studio.gui.graph.scene import Scene
from studio.lazy_dataclass import dataclass
from studio.workspace import is_folded_block, nodes_within

if TYPE_CHECKING:
    from studio.models.results import DiffResult
    from studio.workspace import GraphView

STATES = ("same", "changed", "fused", "split", "replaced", "added", "removed")
BEFORE, AFTER = 0, 1


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of the diff: two matching nodes, or a node without a counterpart.

    Attributes:
        names: Of the nodes before and after; one side is empty for a node without a counterpart.
        text: What changed.
        costs: Before and after, by the title of the kind of cost; where both are known.
    """

    state: str
    names: tuple[tuple[str, ...], tuple[str, ...]]
    operators: tuple[str, str]
    text: str
    costs: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def delta(self, kind: str) -> float | None:
        """Return how much more the nodes cost after; None where it is not known."""
        costs = self.costs.get(kind)
        return costs[AFTER] - costs[BEFORE] if costs is not None else None


@dataclass(frozen=True, slots=True)
class ComparedGraph:
    """One of the two graphs.

    Attributes:
        matches: Numbers of the matches that a box belongs to; a folded block to many.
        by_name: Box of each node, or of the block that it was folded into.
    """

    scene: Scene
    matches: Mapping[int, Sequence[int]]
    by_name: Mapping[str, int]

    def box(self, name: str) -> int | None:
        """Return the box of a node; for one inside a block, the box that the block belongs to."""
        while name:
            if name in self.by_name:
                return self.by_name[name]
            name = name.rpartition("/")[0]
        return None


class Comparison:
    """The result of the step ``diff`` on two scenes of main graphs, whole or folded.

    Attributes:
        differences: Numbers of the matches that are not the same on both sides, from top to bottom.

    Args:
        result: Of the step.
        views: The graphs with their costs, before and after.
    """

    def __init__(
        self, result: DiffResult, views: tuple[GraphView, GraphView], scenes: Sequence[Scene]
    ) -> None:
        costs = [_all_costs(view) for view in views]
        names = [_by_name(scene) for scene in scenes]
        self.matches = tuple(_matches(result, [_operators(view) for view in views], costs))
        self.sides = tuple(
            ComparedGraph(scene, _belonging(self.matches, side, names[side]), names[side])
            for side, scene in enumerate(scenes)
        )
        self._ways = tuple(_HeightMap(self._anchors(side)) for side in (BEFORE, AFTER))
        different = (at for at, match in enumerate(self.matches) if match.state != "same")
        self.differences = sorted(different, key=self._height)

    def states(self, side: int) -> dict[int, str]:
        """Return the state of each box of a side; several kinds of changes count as changed."""
        return {box: self._state(found) for box, found in self.sides[side].matches.items()}

    def _state(self, found: Sequence[int]) -> str:
        kinds = {self.matches[at].state for at in found} - {"same"}
        return "changed" if len(kinds) > 1 else next(iter(kinds), "same")

    def texts(self, side: int) -> dict[int, str]:
        """Return how much of each folded block is different."""
        found = {}
        boxes = self.sides[side].scene.boxes
        for box, matches in self.sides[side].matches.items():
            different = sum(self.matches[at].state != "same" for at in matches)
            node = boxes[box].node
            if different and node is not None and is_folded_block(node):
                found[box] = f"{different} of {len(matches)} differ"
        return found

    def counterpart(self, side: int, box: int) -> int | None:
        """Return the box on the other side that matches one, or most of it."""
        there = self.sides[1 - side]
        boxes = Counter(
            other
            for at in self.sides[side].matches.get(box, ())
            for name in self.matches[at].names[1 - side][:1]
            if (other := there.box(name)) is not None
        )
        return boxes.most_common(1)[0][0] if boxes else None

    def _height(self, match: int) -> float:
        """Return the height of a match in the graph before."""
        for side in (BEFORE, AFTER):
            names = self.matches[match].names[side]
            box = self.sides[side].box(names[0]) if names else None
            if box is not None:
                x, y = self.sides[side].scene.centre(box)
                place = (x, y) if side == BEFORE else self.place(AFTER, x, y)
                return place[0 if self.sides[side].scene.across else 1]
        return 0.0

    def place(self, side: int, x: float, y: float) -> tuple[float, float]:
        """Return the point of the other side's scene that belongs to a point."""
        if self.sides[side].scene.across:
            down, right = self._ways[side].shift(x)
        else:
            right, down = self._ways[side].shift(y)
        return x + right, y + down

    def _anchors(self, side: int) -> Iterator[tuple[float, float, float]]:
        """Of each pair: its height on a side, and how far right and down its counterpart is.

        Where the graphs run from left to right, both axes are exchanged.
        """
        here, there = self.sides[side], self.sides[1 - side]
        ends = [_ends(one.scene) for one in (here, there)]
        for name, box in ends[0].items():
            if name in ends[1]:
                yield _anchor(here.scene, box, there.scene, ends[1][name])
        for match in self.matches:
            names = match.names
            if len(names[side]) == len(names[1 - side]) == 1:
                one = here.by_name.get(names[side][0])
                other = there.by_name.get(names[1 - side][0])
                if one is not None and other is not None:
                    yield _anchor(here.scene, one, there.scene, other)


def _ends(scene: Scene) -> dict[str, int]:
    """Return the inputs and outputs of a graph."""
    boxes = enumerate(scene.boxes)
    return {box.name: at for at, box in boxes if box.node is None and scene.width[at]}


def _anchor(scene: Scene, box: int, other: Scene, counterpart: int) -> tuple[float, float, float]:
    x, y = scene.centre(box)
    far_x, far_y = other.centre(counterpart)
    if scene.across:
        return x, far_y - y, far_x - x
    return y, far_x - x, far_y - y


class _HeightMap:
    """From heights of one scene to those of the other, in between the pairs by proportion."""

    def __init__(self, anchors: Iterable[tuple[float, float, float]]) -> None:
        found = _rising(sorted(anchors))
        self._heights = [height for height, _, _ in found]
        self._shifts = [(right, down) for _, right, down in found]

    def shift(self, height: float) -> tuple[float, float]:
        """Return the offset, right and down, of the other scene at a height."""
        if not self._shifts:
            return 0.0, 0.0
        at = bisect_right(self._heights, height)
        if at in (0, len(self._heights)):
            return self._shifts[min(at, len(self._shifts) - 1)]
        low, high = self._heights[at - 1], self._heights[at]
        share = (height - low) / (high - low) if high > low else 0.0
        before, after = self._shifts[at - 1], self._shifts[at]
        return (
            before[0] + share * (after[0] - before[0]),
            before[1] + share * (after[1] - before[1]),
        )


def _rising(anchors: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Return the longest choice of anchors whose places on the other side rise, too.

    A pair that changed its place would otherwise make the other side jump back and forth.
    """
    ends: list[float] = []
    last: list[int] = []
    before: list[int] = []
    for number, (height, _, down) in enumerate(anchors):
        # The longest increasing subsequence: ``ends`` holds the lowest end of each length.
        place = bisect_left(ends, height + down)
        before.append(last[place - 1] if place else -1)
        ends[place : place + 1] = [height + down]
        last[place : place + 1] = [number]
    chosen: list[tuple[float, float, float]] = []
    number = last[-1] if last else -1
    while number >= 0:
        chosen.append(anchors[number])
        number = before[number]
    return chosen[::-1]


def _by_name(scene: Scene) -> dict[str, int]:
    return {
        name: index
        for index, box in enumerate(scene.boxes)
        if box.node is not None
        for name in nodes_within(box.node)
    }


def _operators(view: GraphView) -> dict[str, str]:
    return {node.name: node.operator for node in view.model.graph.nodes}


def _belonging(
    matches: Sequence[DiffLine], side: int, boxes: Mapping[str, int]
) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for number, match in enumerate(matches):
        for box in dict.fromkeys(boxes[name] for name in match.names[side] if name in boxes):
            found.setdefault(box, []).append(number)
    return found


def _matches(
    result: DiffResult,
    known: Sequence[Mapping[str, str]],
    costs: Sequence[Mapping[str, Mapping[str, float]]],
) -> Iterator[DiffLine]:
    def operators(side: int, names: Sequence[str]) -> str:
        return " + ".join(known[side][name] for name in names if name in known[side])

    for pair in result.pairs:
        names = (pair.a, pair.b)
        titles = (operators(BEFORE, pair.a), operators(AFTER, pair.b))
        texts = [pair.text] if pair.text else []
        text = "; ".join([*texts, *(change.text("→") for change in pair.changes)])
        yield DiffLine(pair.kind, names, titles, text, _costs(names, costs))
    for one in result.inserted:
        yield DiffLine("added", ((), (one.name,)), ("", one.operator), one.text)
    for one in result.lost:
        yield DiffLine("removed", ((one.name,), ()), (one.operator, ""), one.text)


def _all_costs(view: GraphView) -> dict[str, Mapping[str, float]]:
    """Return every kind of cost by node; a weight belongs to who computes with it."""
    sizes = dict(WEIGHTS.values(view))
    graph = view.model.graph
    stored = {
        node.outputs[0]: sizes[node.name]
        for node in graph.nodes
        if node.operator == "DequantizeLinear"
        and node.inputs[0] in graph.initializers
        and node.name in sizes
    }
    for node in graph.nodes:
        # A quantized weight is stored behind its DequantizeLinear; its reader counts it.
        behind = sum(stored.get(name, 0.0) for name in node.inputs)
        if behind:
            sizes[node.name] = sizes.get(node.name, 0.0) + behind
    return {kind.title: kind.values(view) for kind in KINDS} | {WEIGHTS.title: sizes}


def _costs(
    names: tuple[tuple[str, ...], tuple[str, ...]],
    costs: Sequence[Mapping[str, Mapping[str, float]]],
) -> dict[str, tuple[float, float]]:
    found = {}
    for kind in costs[BEFORE]:
        sums = [
            sum(costs[side][kind].get(name, 0.0) for name in names[side])
            for side in (BEFORE, AFTER)
        ]
        if any(sums):
            found[kind] = (sums[BEFORE], sums[AFTER])
    return found
