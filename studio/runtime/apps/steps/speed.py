"""Step that measures the speed of tracks: between two lines, or on a plane of known size."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Protocol, Tuple

import numpy as np

from ..geometry import anchor_points, inside, line_distance, on_plane, plane_matrix
from ..items import TRACKS, Event, FrameStamp, Objects, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError
from ..tracking.memory import TrackMemory
from ..tracking.motion import slopes
from .places import checked_anchor, checked_line, checked_seconds

_KEPT_S = 30.0
_MOST_SAMPLES = 256
_FIT_S = 0.35
_FULL = 0.9
"""Share of the window that a track must fill before its speed is given."""


class SpeedSettings(NamedTuple):
    """Settings of a measurement of speed.

    Attributes:
        lines: Two lines across the road, each [x1, y1, x2, y2] in pixels.
        distance_m: Metres between them.
        points: Instead of lines, four points of the picture as [x, y], in their order around.
        metres: The same points on the ground, in metres.
        window_s: Seconds over which speed is measured with points.
        anchor: Point of an object that touches the ground: ``bottom``, ``center`` or ``top``.
        bands_km_h: Limits between bands, in ascending order; empty: no bands.
    """

    lines: Tuple[Tuple[float, ...], ...] = ()
    distance_m: float = 0.0
    points: Tuple[Tuple[float, ...], ...] = ()
    metres: Tuple[Tuple[float, ...], ...] = ()
    window_s: float = 1.0
    anchor: str = "bottom"
    bands_km_h: Tuple[float, ...] = ()


class _Path:
    """Latest samples of a track, and its speed.

    Attributes:
        times: In seconds, the latest last.
        samples: Distances from both lines, or places in metres; two numbers for each time.
        point: In the picture, of the latest sample.
        crossings: Time at which each line was crossed; not a number before.
        speed: Metres a second; None before it is known.
    """

    __slots__ = ("crossings", "point", "samples", "speed", "times")

    def __init__(self) -> None:
        self.times: List[float] = []
        self.samples: List[Tuple[float, float]] = []
        self.point: Optional[np.ndarray] = None
        self.crossings = [float("nan"), float("nan")]
        self.speed: Optional[float] = None

    def add(self, time: float, sample: Tuple[float, float], window_s: float) -> None:
        """Take one sample; those older than a window are dropped, but for the one before it."""
        self.times.append(time)
        self.samples.append(sample)
        old = max(0, len(self.times) - _MOST_SAMPLES)
        while old < len(self.times) - 2 and time - self.times[old] > window_s:
            old += 1
        if old:
            del self.times[:old], self.samples[:old]


class _Measure(Protocol):
    """Method by which speeds are measured."""

    def samples(self, points: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return two numbers for each point of the picture, and which points can be measured."""

    def take(self, path: _Path, time: float, sample: np.ndarray, point: np.ndarray) -> bool:
        """Take a sample of a track; whether its speed is a new one."""


class _TwoLines:
    """Time between the crossings of two lines that are a known distance from each other.

    The moment of a crossing lies between two frames. It is taken from the straight line through
    the distances that were seen shortly before and after it, which evens out trembling boxes.
    """

    def __init__(self, lines: np.ndarray, distance_m: float) -> None:
        self._lines = lines
        self._distance_m = distance_m

    def samples(self, points: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        found = [line_distance(line[0], line[1], points) for line in self._lines]
        return np.stack(found, axis=1), np.ones(len(points), dtype=bool)

    def take(self, path: _Path, time: float, sample: np.ndarray, point: np.ndarray) -> bool:
        first, second = sample.tolist()
        before = path.samples[-1] if path.samples else None
        path.add(time, (first, second), 2 * _FIT_S)
        if before is not None and path.point is not None:
            for at, (old, new) in enumerate(zip(before, (first, second))):
                if (old < 0) != (new < 0) and self._cuts(at, path.point, point, old, new):
                    path.crossings[at] = path.times[-2] + old / (old - new) * (
                        time - path.times[-2]
                    )
        path.point = point
        self._refine(path, time)
        return self._measured(path, time)

    def _cuts(self, at: int, old: np.ndarray, new: np.ndarray, was: float, now: float) -> bool:
        where = old + was / (was - now) * (new - old)
        start, end = self._lines[at]
        along = end - start
        return bool(0.0 <= (where - start) @ along <= along @ along)

    def _refine(self, path: _Path, time: float) -> None:
        """Fit the moment of a crossing once its surroundings have been seen."""
        times = np.array(path.times)
        for at, crossed in enumerate(path.crossings):
            if crossed == crossed and time - crossed <= _FIT_S:
                near = np.abs(times - crossed) <= time - crossed + 1e-9
                near[max(0, int(np.searchsorted(times, crossed)) - 1)] = True
                values = np.array([one[at] for one in path.samples])
                fitted = _zero(times[near], values[near])
                if fitted is not None and abs(fitted - crossed) < _FIT_S:
                    path.crossings[at] = fitted

    def _measured(self, path: _Path, time: float) -> bool:
        first, second = sorted(path.crossings)
        if second != second or first != first or time - second < _FIT_S / 2 or second <= first:
            return False
        path.speed = self._distance_m / (second - first)
        path.crossings = [float("nan"), float("nan")]
        return True


def _zero(times: np.ndarray, values: np.ndarray) -> Optional[float]:
    """Return where the straight line through some values is zero; None where it is level."""
    if len(times) < 2:
        return None
    middle = float(times.mean())
    slope = float(slopes(times, values[:, None])[0])
    return middle - float(values.mean()) / slope if slope else None


class _Plane:
    """Way over the ground in a window of time, by a homography; within its four points alone."""

    def __init__(self, points: np.ndarray, metres: np.ndarray, window_s: float) -> None:
        self._points = points
        self._matrix = plane_matrix(points, metres)
        self._window_s = window_s

    def samples(self, points: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        within = inside(self._points, points)
        places = np.zeros((len(points), 2))
        if within.any():
            places[within] = on_plane(self._matrix, points[within])
        return places, within

    def take(self, path: _Path, time: float, sample: np.ndarray, point: np.ndarray) -> bool:
        x, y = sample.tolist()
        path.add(time, (x, y), self._window_s)
        times = np.array(path.times)
        if len(times) < 3 or times[-1] - times[0] < _FULL * self._window_s:
            return False
        fresh = path.speed is None
        path.speed = float(np.hypot(*slopes(times, np.array(path.samples))))
        return fresh


class Speed:
    """Measures each track once: one event with its speed, which its objects have from then on."""

    def __init__(self, name: str, settings: SpeedSettings, context: AppContext) -> None:
        """Check the settings.

        Raises:
            AppError: when neither lines nor points are whole, and for wrong numbers.
        """
        place = "steps." + name
        self._name = name
        self._anchor = checked_anchor(place, settings.anchor)
        self._measure = _measure_of(place, settings)
        if list(settings.bands_km_h) != sorted(set(settings.bands_km_h)):
            raise AppError("{}: bands_km_h are in ascending order.".format(place))
        self._bands = settings.bands_km_h
        self._paths: TrackMemory[_Path] = TrackMemory(_KEPT_S)

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Measure the tracks of one frame."""
        objects: Objects = value
        tracks = [] if objects.ids is None else objects.ids.tolist()
        events: List[Event] = []
        details: List[Dict[str, Any]] = []
        points = anchor_points(objects.corners, self._anchor)
        samples, usable = self._measure.samples(points)
        for at, track in enumerate(tracks):
            path = self._paths.see(track, stamp.time, _Path)
            if usable[at] and self._measure.take(path, stamp.time, samples[at], points[at]):
                events.append(self._event(stamp, objects.labels[at], track, path.speed or 0.0))
            known = {} if path.speed is None else {"speed_m_s": round(path.speed, 2)}
            details.append({**objects.detail(at), **known})
        self._paths.forget(stamp.time)
        return StepOutput(objects._replace(details=tuple(details)), tuple(events))

    def _event(self, stamp: FrameStamp, label: str, track: int, speed: float) -> Event:
        band = {"band": band_of(speed * 3.6, self._bands)} if self._bands else {}
        details: Dict[str, Any] = {
            "label": label,
            "track": track,
            "m_s": round(speed, 3),
            "km_h": round(speed * 3.6, 2),
            **band,
        }
        return Event("speed", self._name, stamp, details)


def band_of(value: float, limits: Tuple[float, ...]) -> str:
    """Return the name of the band of a value, such as ``30-50``, ``<30`` or ``>=50``."""
    above = [limit for limit in limits if value >= limit]
    below = [limit for limit in limits if value < limit]
    if not above:
        return "<{:g}".format(below[0])
    if not below:
        return ">={:g}".format(above[-1])
    return "{:g}-{:g}".format(above[-1], below[0])


def _measure_of(place: str, settings: SpeedSettings) -> _Measure:
    if bool(settings.lines) == bool(settings.points):
        raise AppError("{} needs either lines or points.".format(place))
    if settings.lines:
        if len(settings.lines) != 2 or any(len(one) != 4 for one in settings.lines):
            raise AppError("{}: lines are two lists of [x1, y1, x2, y2].".format(place))
        if not 0.01 <= settings.distance_m <= 100_000:
            raise AppError("{}: distance_m is from 0.01 to 100,000 metres.".format(place))
        lines = [checked_line(place, one[:2], one[2:]) for one in settings.lines]
        return _TwoLines(np.array(lines), settings.distance_m)
    checked_seconds(place, "window_s", settings.window_s, 0.1)
    for name, given in (("points", settings.points), ("metres", settings.metres)):
        if len(given) != 4 or any(len(one) != 2 for one in given):
            raise AppError("{}: {} are four pairs of numbers.".format(place, name))
    try:
        points, metres = np.array(settings.points), np.array(settings.metres)
        return _Plane(points, metres, settings.window_s)
    except ValueError as error:
        raise AppError("{}: {}.".format(place, error)) from None


_TYPES = (
    StepType(
        "speed",
        "Measure the speed of tracks, between two lines or on the ground",
        kinds(TRACKS),
        kinds(TRACKS),
        SpeedSettings,
        Speed,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
