"""Blocks unfolded in place: the same graph, every box in its frame, the rest in its order."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from studio.api import Graph, GraphLayout, Node, Value
from studio.models.blocks import folded, outline
from studio.models.layout import Unfolded, block_paths, lay_out, unfold
from studio.models.walk import INSIDE
from tests.benchmarks.generated import inception, transformer
from tests.unit.models import graphs

MAKERS = {"transformer": transformer, "inception": inception}


def blocks(graph: Graph) -> Graph:
    return folded(graph, outline(graph))


def named(graph: Graph) -> list[str]:
    ends = [one.name for one in graph.inputs], [one.name for one in graph.outputs]
    return [*ends[0], *(node.name for node in graph.nodes), *ends[1]]


def edges(graph: Graph, layout: GraphLayout) -> list[tuple[str, str, str]]:
    names = named(graph)
    return sorted((names[a], names[b], value) for a, b, value in layout.edges)


def rectangle(layout: GraphLayout, box: int) -> tuple[float, float, float, float]:
    x, y = layout.x[box], layout.y[box]
    return x, y, x + layout.width[box], y + layout.height[box]


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def within(inner: tuple[float, ...], outer: tuple[float, ...]) -> bool:
    return (
        inner[0] >= outer[0]
        and inner[1] >= outer[1]
        and inner[2] <= outer[2]
        and inner[3] <= outer[3]
    )


def check(shown: Unfolded) -> None:
    """What holds for every picture."""
    layout, frames = shown.layout, shown.frames
    first = len(shown.graph.inputs)
    drawn = [box for box in range(len(layout.x)) if layout.width[box]]
    places = sorted((rectangle(layout, box) for box in drawn), key=lambda one: one[1])
    for at, place in enumerate(places):
        for other in places[at + 1 :]:
            if other[1] >= place[3]:
                break
            assert not overlap(place, other)
    outlines = [(f.x, f.y, f.x + f.width, f.y + f.height) for f in frames]
    for number, frame in enumerate(frames):
        assert frame.around < number
        if frame.around >= 0:
            assert within(outlines[number], outlines[frame.around])
        for node in range(*frame.nodes):
            if layout.width[first + node]:
                assert within(rectangle(layout, first + node), outlines[number])
    for number, place in enumerate(outlines):
        for other in range(number + 1, len(frames)):
            if frames[other].around == frames[number].around:
                assert not overlap(place, outlines[other])
    for (source, target, _), bends in zip(layout.edges, layout.bends, strict=True):
        if shown.across:
            way = [layout.x[source] + layout.width[source], *bends[::2], layout.x[target]]
        else:
            way = [layout.y[source] + layout.height[source], *bends[1::2], layout.y[target]]
        assert all(far >= near - 0.11 for near, far in pairwise(way)), (source, target, way)


@pytest.mark.parametrize("kind", MAKERS)
def test_all_unfolded_is_the_graph_itself(kind: str) -> None:
    graph = MAKERS[kind](600)
    top = blocks(graph)
    shown = unfold(top, list(block_paths(top)))
    assert {node.name for node in shown.graph.nodes} == {node.name for node in graph.nodes}
    assert edges(shown.graph, shown.layout) == edges(graph, lay_out(graph))
    check(shown)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("kind", MAKERS)
def test_any_choice_of_blocks_can_be_unfolded(kind: str, across: bool) -> None:
    top = blocks(MAKERS[kind](300))
    paths = list(block_paths(top))
    choose = random.Random(7)
    for share in (0.1, 0.3, 0.6, 0.9):
        chosen = [path for path in paths if choose.random() < share]
        shown = unfold(top, chosen, across=across)
        assert shown.across == across
        check(shown)
        assert {frame.path for frame in shown.frames} <= set(chosen)
        again = unfold(top, reversed(chosen), across=across)  # type: ignore[arg-type]
        assert again == shown


def test_what_is_around_keeps_its_order() -> None:
    top = blocks(inception(400))
    before = lay_out(top)
    path = next(iter(block_paths(top)))
    shown = unfold(top, [path])
    after = dict(zip(named(shown.graph), range(len(shown.layout.x)), strict=True))
    places = [
        (before.y[box], before.x[box], name) for box, name in enumerate(named(top)) if name in after
    ]
    rows: dict[float, list[tuple[float, str]]] = {}
    for y, x, name in places:
        rows.setdefault(y, []).append((x, name))
    for row in rows.values():
        moved = [shown.layout.x[after[name]] for _, name in sorted(row)]
        assert moved == sorted(moved)
    tops = [shown.layout.y[after[name]] for _, _, name in sorted(places)]
    assert tops == sorted(tops)


@pytest.mark.parametrize("kind", MAKERS)
def test_left_to_right_is_the_same_graph_turned(kind: str) -> None:
    graph = MAKERS[kind](300)
    down, across = lay_out(graph), lay_out(graph, across=True)
    assert edges(graph, across) == edges(graph, down)
    assert across.width == down.width
    assert across.height == down.height
    assert across.size[0] > across.size[1]
    check(Unfolded(graph, across, across=True))
    ranks = [sorted(set(starts)) for starts in (down.y, across.x)]
    for box, (y, x) in enumerate(zip(down.y, across.x, strict=True)):
        if down.width[box]:
            assert ranks[0].index(y) == ranks[1].index(x)


def test_nothing_unfolded_is_the_layout_as_before() -> None:
    top = blocks(transformer(300))
    assert unfold(top, []) == Unfolded(top, lay_out(top))
    inner = [path for path in block_paths(top) if path.count(f"/{INSIDE}") > 1]
    assert unfold(top, inner).frames == ()  # what is around them is folded


def test_a_block_of_a_part_that_was_entered() -> None:
    top = blocks(transformer(300))
    outer = next(iter(block_paths(top)))
    part = next(node for node in top.nodes if node.blocks).blocks[INSIDE]
    inner = next(iter(block_paths(part, outer)))
    assert inner.startswith(f"{outer}/")
    shown = unfold(part, [inner], outer)
    check(shown)
    assert [frame.path for frame in shown.frames] == [inner]
    assert shown.homes.count(0) == len(range(*shown.frames[0].nodes))


def test_a_block_without_inputs_or_outputs() -> None:
    inside = Graph("lost", (), (), (Node("a", "Relu", (), ("v",)), Node("b", "Abs", ("v",), ())))
    block = Node("lost", "lost", (), (), "studio.block", {"nodes": 2}, {INSIDE: inside})
    top = Graph("g", (Value("x"),), (Value("x"),), (block,))
    shown = unfold(top, [f"lost/{INSIDE}"])
    check(shown)
    assert [node.name for node in shown.graph.nodes] == ["a", "b"]


@pytest.mark.parametrize("seed", range(6))
def test_a_tangle_with_made_up_blocks(seed: int) -> None:
    plain = graphs.tangled(90, 30, seed)
    nodes = enumerate(plain.nodes)
    scoped = [replace(one, name=f"m{at // 30}/b{at // 6}/{one.name}") for at, one in nodes]
    graph = replace(plain, nodes=tuple(scoped))
    top = blocks(graph)
    assert any(node.blocks for node in top.nodes)
    shown = unfold(top, list(block_paths(top)))
    check(shown)
    assert edges(shown.graph, shown.layout) == edges(graph, lay_out(graph))


def test_a_node_that_reads_5000_values_within_a_block() -> None:
    def source(at: int) -> Node:
        return Node(f"s/n{at}", "Relu", ("x",), (f"v{at}",))

    reads: Any = tuple(f"v{at}" for at in range(5_000))
    nodes = (*map(source, range(5_000)), Node("s/all", "Concat", reads, ("y",)))
    inside = Graph("s", (Value("x"),), (Value("y"),), nodes)
    block = Node("s", "s", ("x",), ("y",), "studio.block", {"nodes": 5_001}, {INSIDE: inside})
    top = Graph("g", (Value("x"),), (Value("y"),), (block,))
    shown = unfold(top, [f"s/{INSIDE}"])
    assert len(shown.layout.edges) == 10_001
    assert len({shown.layout.y[box] for box in range(1, 5_001)}) == 1
