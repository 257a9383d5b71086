"""Rails: where the edges of values that are read far below run, beside the drawing."""

from __future__ import annotations

from heapq import heappop, heappush

from studio.models.layout.layers import Layered

GAP = 14.0
_MOST_TRACKS = 32
"""More would make the drawing wide for the sake of lines that nobody can follow."""


def rails(graph: Layered, left: float) -> dict[int, float]:
    """The x of the rail of each box that has one.

    Rails that do not meet share a track; the longest stand innermost where they begin together.

    Args:
        left: Where the drawing begins; tracks stand left of it.
    """
    order = sorted(graph.rails, key=lambda box: (graph.layer[box], -graph.rails[box], box))
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    tracks = 0
    found: dict[int, float] = {}
    for box in order:
        while busy and busy[0][0] <= graph.layer[box]:
            heappush(free, heappop(busy)[1])
        if free:
            track = heappop(free)
        else:
            track, tracks = tracks, tracks + 1
        heappush(busy, (graph.rails[box], track))
        found[box] = left - GAP * (1 + track % _MOST_TRACKS)
    return found
