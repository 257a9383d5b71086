"""What truly happens on the composed street, as the events that an app should find."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy
from numpy.typing import NDArray

from studio.samples.street.scene import (
    CLEAN,
    FPS,
    PIXELS_PER_METRE,
    STOP,
    WIDTH,
    Mover,
    Street,
    Trouble,
    street,
)
from studio.samples.true_events import TrueEvent

Times = NDArray[numpy.float64]

GATE = WIDTH / 2
KERB = 240.0
"""Row of the line that persons cross, in the middle of the road."""
SPEED_LINES = (392.0, 530.0)
"""Of a lane, from the edge at which its vehicles enter."""
METRES = (SPEED_LINES[1] - SPEED_LINES[0]) / PIXELS_PER_METRE
QUEUE = (36.0, STOP - 10)
"""Where the middle of a vehicle is that waits."""
QUEUE_S, SLOW, LENGTH, RULE_S = 2.0, 0.2, 2, 1.0

_TRIES = 500
_EDGE_S, _SPEED_EDGE_S = 0.6, 1.5
_BORDERLINE_S, _QUEUE_EDGE_S = 1.0, 4.0


def street_with_one_answer(seed: int, seconds: float = 60.0, trouble: Trouble = CLEAN) -> Street:
    """Compose a street of which two people would report the same events.

    Streets are drawn until one is clear. Nothing happens at the very beginning or end of its film.
    No queue lasts about as long as the rule needs, and no vehicle hides a person on the crossing.
    """
    for at in range(_TRIES):
        scene = street(seed * _TRIES + at, seconds, trouble)
        if _is_clear(scene):
            return scene
    raise AssertionError(f"no street of the seed {seed} is clear")


def events_of(scene: Street) -> list[TrueEvent]:
    """Return the crossings, speeds and queues of a film, in the order of their times."""
    found = [*_crossings(scene), *_speeds(scene), *_queues(scene)]
    inside = [one for one in found if 0 < one.at_s < scene.seconds]
    return sorted(inside, key=lambda one: (one.at_s, one.step))


def _crossings(scene: Street) -> Iterator[TrueEvent]:
    for one in scene.movers:
        is_person = one.lane > 1
        time = one.reaches(KERB if is_person else GATE)
        if math.isfinite(time):
            direction = ("right", "left", "down", "up")[one.lane]
            step = "crosswalk" if is_person else "gate"
            yield TrueEvent("crossing", step, time, one.shape.label, direction)


def _speeds(scene: Street) -> Iterator[TrueEvent]:
    for one in scene.movers:
        if one.lane > 1:
            continue
        first, second = (one.reaches(place) for place in SPEED_LINES)
        if math.isfinite(first) and math.isfinite(second) and first > 0:
            step = ("speed-right", "speed-left")[one.lane]
            speed = METRES / (second - first)
            # The measurement is complete when the vehicle has been seen behind the second line.
            yield TrueEvent("speed", step, second + 0.3, one.shape.label, m_s=speed)


def _queues(scene: Street) -> Iterator[TrueEvent]:
    for lane in (0, 1):
        for begin, end in _queue_times(scene, lane):
            step = ("busy-right", "busy-left")[lane]
            if end - begin > RULE_S:
                yield TrueEvent("queue-long", step, begin + RULE_S)
                yield TrueEvent("queue-long-ended", step, min(end, scene.seconds - 1 / FPS))


def _queue_times(scene: Street, lane: int) -> list[tuple[float, float]]:
    """Return when the queue of a lane begins and ends to be long."""
    times = numpy.arange(0, scene.seconds, 0.05)
    lengths = numpy.zeros(len(times))
    for one in scene.movers:
        if one.lane == lane:
            lengths += _waits(one, times)
    is_long = numpy.concatenate([[False], lengths >= LENGTH, [False]])
    edges = numpy.flatnonzero(is_long[1:] != is_long[:-1])
    moments = [*times.tolist(), scene.seconds]
    return [(moments[begin], moments[end]) for begin, end in edges.reshape(-1, 2).tolist()]


def _waits(one: Mover, times: Times) -> NDArray[numpy.bool_]:
    """Return at which times a vehicle waits: it moved too little in the seconds before."""
    now = numpy.interp(times, one.times, one.places)
    before = numpy.interp(times - QUEUE_S, one.times, one.places)
    within = (before >= QUEUE[0]) & (now <= QUEUE[1]) & (times >= QUEUE_S)
    found: NDArray[numpy.bool_] = within & (now - before <= SLOW * one.shape.height * QUEUE_S)
    return found


def _is_clear(scene: Street) -> bool:
    return not (_has_edges(scene) or scene.is_blocked() or _has_borderline_queue(scene))


def _has_edges(scene: Street) -> bool:
    """Whether something happens so early or late that the film may not show it."""
    end = scene.seconds
    crossed = [one.at_s for one in _crossings(scene)]
    measured = [one.at_s for one in _speeds(scene)]
    entered = [one.reaches(SPEED_LINES[0]) for one in scene.movers if one.lane < 2]
    return (
        any(abs(time) < _EDGE_S or abs(end - time) < _EDGE_S for time in crossed)
        or any(abs(end - time) < _SPEED_EDGE_S for time in measured)
        or any(abs(time) < _SPEED_EDGE_S for time in entered)
    )


def _has_borderline_queue(scene: Street) -> bool:
    """Whether a queue lasts about as long as the rule needs, or begins at the very end."""
    times = [*_queue_times(scene, 0), *_queue_times(scene, 1)]
    return any(
        abs(end - begin - RULE_S) <= _BORDERLINE_S or begin > scene.seconds - _QUEUE_EDGE_S
        for begin, end in times
    )
