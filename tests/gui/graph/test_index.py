"""The index of a scene: the lines that are drawn, and that it finds what a search of all finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.api import Graph, GraphLayout
from studio.gui.graph.area import Area
from studio.gui.graph.index import Index
from studio.models.layout import lay_out
from tests.unit.models import graphs

Line = tuple[float, ...]


def pair(*bends: tuple[float, ...]) -> Index:
    """Two boxes with an edge for each of the bends."""
    layout = GraphLayout(
        x=(0, 100),
        y=(0, 300),
        width=(20, 20),
        height=(10, 10),
        edges=tuple((0, 1, f"v{number}") for number in range(len(bends))),
        bends=bends,
        size=(120, 310),
    )
    return Index(layout)


def drawn(index: Index) -> set[Line]:
    return set(map(tuple, index.lines.ends.tolist()))


def test_bends_become_joined_lines() -> None:
    assert drawn(pair((50.0, 100.0, 60.0, 200.0))) == {
        (10, 10, 50, 100),
        (50, 100, 60, 200),
        (60, 200, 110, 300),
    }


def test_the_boxes_that_a_box_feeds_are_in_the_order_of_the_edges() -> None:
    edges = ((0, 2, "a"), (1, 2, "b"), (0, 1, "c"), (0, 2, "d"))
    four = (0.0, 1.0, 2.0, 3.0)
    index = Index(GraphLayout(four, four, four, four, edges, ((),) * 4, (9, 9)))
    assert [index.after.of(box) for box in range(4)] == [[2, 1, 2], [2], [], []]
    assert [index.before.of(box) for box in range(4)] == [[], [0], [0, 1, 0], []]


def test_what_runs_on_one_line_is_drawn_once() -> None:
    index = pair((50, 100, 50, 150), (50, 100, 50, 200), ())
    assert drawn(index) == {
        (10, 10, 50, 100),
        (50, 100, 50, 200),  # the shorter one is a part of it
        (50, 150, 110, 300),
        (50, 200, 110, 300),
        (10, 10, 110, 300),
    }
    assert len(index.lines) == 5
    assert set(map(tuple, index.lines_of(np.array([0])).ends.tolist())) == {
        (10, 10, 50, 100),
        (50, 100, 50, 150),
        (50, 150, 110, 300),
    }


def test_a_graph_without_edges() -> None:
    index = Index(lay_out(Graph("empty", (), (), ())))
    assert len(index.lines) == 0
    assert index.boxes_in(Area(-1e6, -1e6, 1e6, 1e6)).tolist() == []
    assert index.lines.touching(Area(-1e6, -1e6, 1e6, 1e6)).tolist() == []


place = st.floats(-500, 4_000, width=32)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 50), st.integers(5, 60), place, place, st.floats(0, 1_500, width=32))
def test_an_area_holds_what_touches_it(
    seed: int, count: int, left: float, top: float, size: float
) -> None:
    layout = lay_out(graphs.tangled(count, 20, seed))
    index, area = Index(layout), Area(left, top, left + size, top + size)
    boxes = index.boxes_in(area).tolist()
    assert [layout.y[box] for box in boxes] == sorted(layout.y[box] for box in boxes)
    touching = {
        box
        for box in range(len(layout.x))
        if layout.width[box]
        and layout.x[box] <= area.right
        and layout.x[box] + layout.width[box] >= area.left
        and layout.y[box] <= area.bottom
        and layout.y[box] + layout.height[box] >= area.top
    }
    assert touching <= set(boxes)
    lines = {
        tuple(line)
        for line in index.lines.ends.tolist()
        if min(line[0], line[2]) <= area.right
        and max(line[0], line[2]) >= area.left
        and min(line[1], line[3]) <= area.bottom
        and max(line[1], line[3]) >= area.top
    }
    assert set(map(tuple, index.lines.touching(area).tolist())) == lines


@given(st.integers(0, 30), st.integers(1, 40))
def test_edges_of_boxes(seed: int, count: int) -> None:
    layout = lay_out(graphs.tangled(count, 10, seed))
    index = Index(layout)
    box = count // 2
    assert index.edges_of(box).tolist() == [
        number for number, edge in enumerate(layout.edges) if box in edge[:2]
    ]
    some = set(range(0, count, 2))
    assert index.edges_between(index.among(some)).tolist() == [
        number for number, edge in enumerate(layout.edges) if set(edge[:2]) <= some
    ]


def test_one_box_of_each_pixel() -> None:
    index = Index(lay_out(graphs.relus(1_000)))
    every = index.boxes_in(Area(0, 0, 1e6, 1e6))
    assert len(index.spots(every, 1.0, 1.0)) == len(every)
    spots = index.spots(every, 0.01, 0.01)
    assert len(spots) == len({int(index.y[box] * 0.01) for box in every.tolist()})
