"""The layered layout: what must hold for every graph, and how long it may take."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.api import Graph, GraphLayout, Node, Value
from studio.models.layout import lay_out
from studio.models.layout.crossings import crossings, order
from tests.benchmarks.bench_layout import crossings as crossings_drawn
from tests.benchmarks.bench_layout import our_lines
from tests.benchmarks.generated import inception, transformer
from tests.unit.models import graphs


def check(graph: Graph) -> GraphLayout:
    """Boxes do not overlap, edges point downwards, everything is inside the drawing."""
    layout = lay_out(graph)
    count = len(graph.inputs) + len(graph.nodes) + len(graph.outputs)
    assert len(layout.x) == len(layout.y) == len(layout.width) == len(layout.height) == count
    assert len(layout.bends) == len(layout.edges)
    rows = defaultdict(list)
    for box in range(count):
        if layout.width[box]:
            assert layout.x[box] >= 0
            assert layout.x[box] + layout.width[box] <= layout.size[0]
            assert layout.y[box] + layout.height[box] <= layout.size[1]
            rows[layout.y[box]].append((layout.x[box], layout.x[box] + layout.width[box]))
    for row in rows.values():
        for (_, right), (left, _) in pairwise(sorted(row)):
            assert right < left
    for (source, target, _), bends in zip(layout.edges, layout.bends, strict=True):
        heights = [layout.y[source] + layout.height[source], *bends[1::2], layout.y[target]]
        assert heights == sorted(heights)
        assert heights[0] < heights[-1]
    return layout


@pytest.mark.parametrize(
    "graph",
    [
        graphs.relus(1),
        graphs.relus(40),
        graphs.residual(12),
        graphs.masked(30),
        graphs.tangled(300),
        Graph("empty", (), (), ()),
        Graph("through", (Value("x"),), (Value("x"),), ()),
        Graph("apart", (Value("a"), Value("b")), (Value("a"), Value("b")), ()),
    ],
    ids=["one", "chain", "residual", "masked", "tangled", "empty", "through", "apart"],
)
def test_what_always_holds(graph: Graph) -> None:
    check(graph)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 60))
def test_what_always_holds_for_random_graphs(seed: int, count: int, reach: int) -> None:
    check(graphs.tangled(count, reach, seed))


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40),
    st.integers(0, 2),
)
def test_what_always_holds_for_any_connections(
    count: int, pairs: list[tuple[int, int]], inputs: int
) -> None:
    """Cycles, loops, nodes that nothing reads and values that nothing produces among them."""
    reads: list[list[str]] = [[] for _ in range(count)]
    for source, target in pairs:
        reads[target % count].append(f"v{source}")
    nodes = [Node(f"n{k}", "Add", tuple(reads[k]), (f"v{k + inputs}",)) for k in range(count)]
    names = tuple(f"v{k}" for k in range(inputs))
    graph = graphs.graph(nodes, inputs=names, outputs=("v0", f"v{count}"))
    layout = check(graph)
    assert layout == lay_out(graph)


@pytest.mark.parametrize("make", [transformer, inception])
def test_layers_are_drawn_without_crossings(make: Callable[[int], Graph]) -> None:
    """Also those of the mask, which runs beside all layers of the transformer."""
    assert crossings_drawn(list(our_lines(lay_out(make(1_000))))) == 0


@pytest.mark.slow
def test_50_000_nodes_do_not_drift_aside() -> None:
    layout = check(transformer(50_000))
    assert layout.size[0] <= 5 * lay_out(transformer(1)).size[0]


def test_same_graph_gives_the_same_layout() -> None:
    assert lay_out(graphs.tangled(400)) == lay_out(graphs.tangled(400))


def test_a_chain_is_a_straight_line() -> None:
    layout = check(graphs.relus(10))
    centres = {x + w / 2 for x, w in zip(layout.x, layout.width, strict=True)}
    assert len(centres) == 1


def test_branches_stand_beside_the_line() -> None:
    nodes = [
        Node("top", "Relu", ("x",), ("t",)),
        Node("left", "Relu", ("t",), ("l",)),
        Node("right", "Relu", ("t",), ("r",)),
        Node("sum", "Add", ("l", "r"), ("y",)),
    ]
    layout = check(graphs.graph(nodes))
    centre = [x + w / 2 for x, w in zip(layout.x, layout.width, strict=True)]
    assert centre[1] == centre[4]
    assert (centre[2] + centre[3]) / 2 == pytest.approx(centre[1], abs=0.2)


def test_equal_blocks_look_equal() -> None:
    layout = check(graphs.residual(20))
    first = [layout.x[1 + k] for k in range(4)]
    assert all([layout.x[1 + 4 * b + k] for k in range(4)] == first for b in range(1, 19))


def test_a_value_read_everywhere_does_not_push_the_drawing_aside() -> None:
    """One shared chain of dummies: the width does not grow with the number of readers."""
    assert check(graphs.masked(400)).size[0] < 1.2 * check(graphs.masked(10)).size[0]


def test_constants_are_not_drawn() -> None:
    nodes = [
        Node("c", "Constant", (), ("w",)),
        Node("m", "MatMul", ("x", "w"), ("y",)),
    ]
    layout = check(graphs.graph(nodes))
    assert [width > 0 for width in layout.width] == [True, False, True, True]
    assert [edge[:2] for edge in layout.edges] == [(0, 2), (2, 3)]


def test_computed_weights_stand_right_above_their_reader() -> None:
    nodes = [Node(f"n{k}", "Relu", (f"v{k}",), (f"v{k + 1}",)) for k in range(6)]
    nodes += [
        Node("shape", "ConstantOfShape", ("s",), ("w",)),
        Node("turn", "Transpose", ("w",), ("t",)),
        Node("m", "MatMul", ("v6", "t"), ("y",)),
    ]
    graph = graphs.graph(nodes, constants=[graphs.constant("s", 2)], inputs=("v0",))
    layout = check(graph)
    assert layout.y[8] == layout.y[6]  # turn beside the last Relu, not at the top
    assert layout.y[7] == layout.y[5]


def test_values_captured_by_blocks_are_edges() -> None:
    body = Graph("b", (), (Value("i"),), (Node("n", "Identity", ("a",), ("i",)),))
    nodes = [
        Node("r", "Relu", ("x",), ("a",)),
        Node("if", "If", ("x",), ("y",), blocks={"then_branch": body}),
    ]
    layout = check(graphs.graph(nodes))
    assert (1, 2, "a") in layout.edges


def test_no_more_crossings_than_needed() -> None:
    """A complete two-row graph of pairs that can be drawn without any crossing."""
    count = 30
    names = list(range(count))
    random.Random(3).shuffle(names)
    down = [[count + name] for name in names] + [[] for _ in range(count)]
    up: list[list[int]] = [[] for _ in range(2 * count)]
    for upper, (lower,) in enumerate(down[:count]):
        up[lower] = [upper]
    rows = order([list(range(count)), list(range(count, 2 * count))], up, down)
    position = [0] * (2 * count)
    for row in rows:
        for index, node in enumerate(row):
            position[node] = index
    assert crossings(rows, down, position) == 0


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=40, unique=True))
def test_crossings_are_counted_like_by_hand(edges: list[tuple[int, int]]) -> None:
    rows = [list(range(8)), list(range(8, 16))]
    down = [[8 + lower for upper, lower in edges if upper == node] for node in range(8)]
    position = [*range(8), *range(8)]
    by_hand = sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(edges, 2))
    assert crossings(rows, [*down, *[[]] * 8], position) == by_hand


@pytest.mark.parametrize(
    ("graph", "seconds"),
    [
        (graphs.residual(1250), 2.0),
        (graphs.masked(2500), 4.0),
        (graphs.tangled(5000), 8.0),
        (graphs.relus(50_000), 8.0),
    ],
    ids=["residual-5000", "masked-5000", "tangled-5000", "chain-50000"],
)
def test_time(graph: Graph, seconds: float) -> None:
    """Bounds far above what is measured, as machines differ: they catch quadratic growth."""
    started = time.process_time()
    lay_out(graph)
    assert time.process_time() - started < seconds


def test_a_value_that_is_read_far_below_runs_beside_the_drawing() -> None:
    layout = check(graphs.masked(400))
    masks = [
        bends
        for (source, _, name), bends in zip(layout.edges, layout.bends, strict=True)
        if source == 1 and name == "mask" and bends
    ]
    rail = {x for bends in masks for x in bends[::2]}
    assert len(masks) > 390

    (at,) = rail
    assert all(at < x for x, width in zip(layout.x, layout.width, strict=True) if width)


def test_rails_that_meet_stand_apart() -> None:
    nodes = [
        Node(f"n{k}", "Add", (f"v{k}", f"v{max(0, k - 300)}"), (f"v{k + 1}",)) for k in range(700)
    ]
    layout = check(graphs.graph(nodes, inputs=("v0",), outputs=("v700",)))
    rails = [bends[0] for bends in layout.bends if bends]
    assert len(set(rails)) == 32  # more tracks than that would make the drawing wide
