"""Boxes of the graph: columns by their inputs, none over another, curves from side to side."""

from __future__ import annotations

from itertools import combinations

from studio.features.apps.pages.app.placement import BOX, GAP_X, place
from tests.features.apps.pages.sample_app import PARTS, part


def test_parts_stand_right_of_their_inputs() -> None:
    found = place(PARTS)
    for one in PARTS:
        for name in one.inputs:
            assert found.boxes[name].right() + GAP_X <= found.boxes[one.name].left()


def test_no_box_lies_over_another_and_all_lie_within_the_size() -> None:
    many = [
        *(part(f"camera{n}", "source", "camera") for n in range(4)),
        *(part(f"find{n}", "step", "detect", {f"camera{n}": "pictures"}) for n in range(4)),
        part("all", "step", "count", {f"find{n}": "events" for n in range(4)}),
        part("log", "sink", "file", {"all": "events", "find0": "events", "find3": "events"}),
    ]
    found = place(many)
    assert not any(one.intersects(other) for one, other in combinations(found.boxes.values(), 2))
    for box in found.boxes.values():
        assert box.left() >= 0
        assert box.top() >= 0
        assert box.right() <= found.size.width()
        assert box.bottom() <= found.size.height()


def test_a_connection_over_several_columns_passes_between_the_boxes() -> None:
    parts = [
        part("gate", "source", "video"),
        part("people", "step", "detect", {"gate": "pictures"}),
        part("tracks", "step", "track", {"people": "objects"}),
        part("log", "sink", "file", {"people": "events", "tracks": "events"}),
    ]
    found = place(parts)
    (long,) = (one for one in found.connections if (one.source, one.target) == ("people", "log"))
    assert long.kind == "events"
    assert len(long.points) == 4
    assert not any(found.boxes["tracks"].contains(point) for point in long.points)


def test_sinks_stand_in_the_last_column() -> None:
    parts = [
        part("gate", "source", "video"),
        part("people", "step", "detect", {"gate": "pictures"}),
        part("totals", "step", "count", {"people": "events"}),
        part("log", "sink", "file", {"people": "events"}),
    ]
    boxes = place(parts).boxes
    assert boxes["log"].left() == boxes["totals"].left()


def test_a_part_without_known_kinds_is_connected() -> None:
    one = part("gate", "source", "video")
    other = part("people", "step", "detect", {"gate": ""})
    (found,) = place([one, other]).connections
    assert (found.kind, len(found.points)) == ("", 2)


def test_nothing_has_a_small_size() -> None:
    assert place([]).boxes == {}
    assert place([]).size.width() < BOX.width()
