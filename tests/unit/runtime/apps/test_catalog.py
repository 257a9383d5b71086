"""The steps on tracks in one graph, from objects to events."""

from __future__ import annotations

import pytest

from studio.runtime.apps.catalog import STEPS
from studio.runtime.apps.document import AppDocument
from studio.runtime.apps.graph import AppGraph, graph_of
from studio.runtime.apps.items import EVENTS, TRACKS, VALUES
from studio.runtime.apps.settings import AppError

AREA = [[0, 0], [100, 0], [100, 100]]
DETECT = {"type": "detect", "input": "film", "model": "net"}
TRACK = {"type": "track", "input": "find"}


def graph(**steps: dict[str, object]) -> AppGraph:
    """A graph of a film, a detector, and further steps."""
    sources = {"film": {"type": "video", "path": "film.avi"}}
    document = {"name": "app", "sources": sources, "steps": {"find": DETECT, **steps}}
    return graph_of(AppDocument.from_json(document))


def test_each_step_has_the_name_under_which_it_is_found() -> None:
    assert all(one.name == name for name, one in STEPS.items())
    assert {"track", "line", "zone", "speed", "queue", "rule"} <= set(STEPS)


def test_tracks_reach_lines_zones_speeds_and_queues_and_their_values_reach_rules() -> None:
    line = {"type": "line", "input": "speed", "start": [0, 0], "end": [9, 9]}
    speed = {"type": "speed", "input": "track", "distance_m": 5}
    found = graph(
        track=TRACK,
        speed={**speed, "lines": [[0, 0, 0, 9], [9, 0, 9, 9]]},
        line=line,
        zone={"type": "zone", "input": "track", "area": AREA},
        queue={"type": "queue", "input": "track", "area": AREA},
        full={"type": "rule", "input": "zone", "value": "count", "event": "full", "above": 3},
        total={"type": "count", "input": ["line", "full"]},
    )
    gives = {one.name: one.gives for one in found.steps}
    assert gives["track"] == gives["speed"] == TRACKS
    assert gives["line"] == gives["zone"] == gives["queue"] == VALUES
    takes = {one.name: one.inputs[0].kind for one in found.steps}
    assert (takes["full"], takes["total"]) == (VALUES, EVENTS)


def test_a_zone_takes_objects_without_tracks_and_a_line_does_not() -> None:
    graph(zone={"type": "zone", "input": "find", "area": AREA})
    with pytest.raises(AppError, match="a line step takes tracks, and find gives"):
        graph(line={"type": "line", "input": "find", "start": [0, 0], "end": [9, 9]})
