"""A composed street: vehicles in two lanes, persons on a crossing, and what truly happens there.

Vehicles follow each other by the Intelligent Driver Model (Treiber, Hennecke and Helbing, 2000).
Lengths are in pixels of the picture, times in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]

WIDTH, HEIGHT, FPS = 640, 360, 10.0
PIXELS_PER_METRE = 16.0
LANES = (275.0, 205.0)
"""Rows on which wheels stand: to the right, to the left."""
DOORS, TOP_KERB, BOTTOM_KERB = 104.0, 146.0, 322.0
CROSSING = (270.0, 370.0)
COLUMN = 16.0
STOP = 255.0
"""Where vehicles wait, from the edge at which they enter."""

_BEGIN, _STEP = -1.0, 0.02
_ENTRY = -260.0
_ACCELERATION, _BRAKING, _GAP, _HEADWAY_S = 40.0, 48.0, 22.0, 0.9
_HARDEST_BRAKING = 80.0
_GREEN_S, _RED_S, _CLEAR_S = 15.0, 15.5, 4.0
_CREEPS = 60.0
_HALTS = (620.0, 634.0)
"""Where the fronts of cars are that halt on the open road."""
_FAR = 1e6


@dataclass(frozen=True, slots=True)
class Trouble:
    """Conditions that make a film hard.

    Attributes:
        noise: Standard deviation of the noise of pixels, from 0 to 255.
        blur: Standard deviation of a blur in pixels.
        light: Brightness relative to a clear day.
        halts: Whether some vehicles stop on the road and start again.
        dropped: Share of the frames that are missing.
    """

    noise: float = 2.0
    blur: float = 0.0
    light: float = 1.0
    halts: bool = False
    dropped: float = 0.0


CLEAN = Trouble()
HARD = Trouble(noise=10.0, blur=0.8, light=0.75, halts=True, dropped=0.2)


@dataclass(frozen=True, slots=True)
class Shape:
    """Size and looks of an object.

    Attributes:
        length: Columns.
        height: Rows.
        look: Seed of its colours.
    """

    label: str
    length: float
    height: float
    look: int


@dataclass(frozen=True, slots=True)
class Mover:
    """An object with its path.

    Attributes:
        lane: 0 to the right, 1 to the left; 2 downwards, 3 upwards for persons.
        times: Moments of the path, ascending.
        places: Middle of a vehicle from the edge at which it enters; row of a person's feet.
        column: Column of a person.
    """

    shape: Shape
    lane: int
    times: Floats
    places: Floats
    column: float = 0.0

    def place(self, time: float) -> float:
        """Return where it is on its path."""
        return float(numpy.interp(time, self.times, self.places))

    def foot(self, time: float) -> tuple[float, float]:
        """Return the middle of its lower edge in the picture: column, row."""
        place = self.place(time)
        if self.lane > 1:
            return self.column, place
        return (place if self.lane == 0 else WIDTH - place), LANES[self.lane]

    def reaches(self, place: float) -> float:
        """Return when it first reaches a place; not a number if it never does."""
        signs = (self.places - place) * (-1 if self.lane == 3 else 1)
        after = int(numpy.argmax(signs >= 0))
        if after == 0 or signs[after] < 0:
            return float("nan")
        before = slice(after - 1, after + 1)
        return float(numpy.interp(0.0, signs[before], self.times[before]))

    def is_seen(self, time: float) -> bool:
        """Whether some of it is in the picture."""
        if not self.times[0] <= time <= self.times[-1]:
            return False
        x, y = self.foot(time)
        half = self.shape.length / 2
        return -half < x < WIDTH + half and (
            self.lane < 2 or DOORS < y < HEIGHT + self.shape.height
        )


@dataclass
class _Driver:
    """A vehicle during the simulation.

    Attributes:
        front: From the edge at which it enters.
        wanted: Speed without others, pixels a second.
        stops: Whether it stops at the red light that is on.
        halt: Where it halts on the open road, for how long, and when it began to stand there.
    """

    shape: Shape
    wanted: float
    begin: float
    front: float = _ENTRY
    speed: float = 0.0
    stops: bool = False
    halt: float = _FAR
    halt_s: float = 0.0
    stood_at: float = float("nan")
    path: list[tuple[float, float]] = field(default_factory=list)

    def move(self, time: float, leader: float, leader_speed: float) -> None:
        """Follow for one step what is ahead: its rear and its speed."""
        gap = max(leader - self.front, 0.1)
        closing = self.speed * (self.speed - leader_speed)
        wish = _GAP + max(
            0.0, self.speed * _HEADWAY_S + closing / (2 * (_ACCELERATION * _BRAKING) ** 0.5)
        )
        change = _ACCELERATION * (1 - (self.speed / self.wanted) ** 4 - (wish / gap) ** 2)
        self.speed = max(0.0, self.speed + max(change, -2 * _HARDEST_BRAKING) * _STEP)
        self.front += self.speed * _STEP
        self.path.append((time, self.front - self.shape.length / 2))

    def halts_at(self, time: float) -> float:
        """Return the place of its own halt while that lasts."""
        if (
            self.speed < 2.0
            and self.halt - self.front < 2 * _GAP
            and self.stood_at != self.stood_at
        ):
            self.stood_at = time
        if time - self.stood_at >= self.halt_s:
            self.halt = _FAR
        return self.halt


@dataclass(frozen=True, slots=True)
class Street:
    """A film of the street as data.

    Attributes:
        seed: With the same seed, everything is the same.
        red: Moments at which the light of the vehicles turns red.
    """

    seed: int
    seconds: float
    trouble: Trouble
    movers: tuple[Mover, ...]
    red: tuple[float, ...]

    def seen(self, time: float) -> list[Mover]:
        """Return what is in the picture, the farthest first."""
        return sorted(
            (one for one in self.movers if one.is_seen(time)), key=lambda one: one.foot(time)[1]
        )

    def is_blocked(self) -> bool:
        """Whether a vehicle is on the crossing while a person walks there."""
        times = numpy.arange(0.0, self.seconds, 0.5).tolist()
        return any(self._is_blocked(time) for time in times)

    def _is_blocked(self, time: float) -> bool:
        seen = self.seen(time)
        walks = any(one.lane > 1 and TOP_KERB < one.place(time) < BOTTOM_KERB - 26 for one in seen)
        return walks and any(
            one.lane < 2 and abs(one.place(time) - WIDTH / 2) < (one.shape.length + 100) / 2
            for one in seen
        )

    def is_red(self, time: float) -> bool:
        """Whether vehicles must stop."""
        return any(0 <= time - begin < _RED_S for begin in self.red)

    def frames(self) -> Iterator[tuple[int, float]]:
        """Return number and time of each frame that is not missing."""
        draws = numpy.random.default_rng([self.seed, 3])
        for number in range(round(self.seconds * FPS)):
            if draws.random() >= self.trouble.dropped:
                yield number, number / FPS


def street(seed: int, seconds: float = 60.0, trouble: Trouble = CLEAN) -> Street:
    """Compose a street.

    Args:
        seconds: Length of the film.
    """
    draws = numpy.random.default_rng([seed, 0])
    first = float(draws.uniform(14, 16.5))
    count = int((seconds - first) // (_GREEN_S + _RED_S)) + 1
    red = tuple(first + at * (_GREEN_S + _RED_S) for at in range(count))
    movers: list[Mover] = []
    for lane in (0, 1):
        drivers = _drivers(draws, seconds, trouble.halts)
        _drive(drivers, red, seconds)
        movers += [_mover(one, lane) for one in drivers if len(one.path) > 1]
    for begin in red:
        movers += _walkers(draws, begin, seconds)
    return Street(seed, seconds, trouble, tuple(movers), red)


def _drivers(draws: numpy.random.Generator, seconds: float, halts: bool) -> list[_Driver]:
    """Return the vehicles of one lane, the first first."""
    found, time = [], _BEGIN
    while time < seconds:
        is_car = draws.random() < 0.7
        length = float(draws.uniform(66, 72) if is_car else draws.uniform(100, 104))
        height = float(draws.uniform(24, 27) if is_car else draws.uniform(44, 48))
        shape = Shape("car" if is_car else "truck", length, height, int(draws.integers(1 << 30)))
        driver = _Driver(shape, float(draws.uniform(140, 260)), time)
        if halts and is_car and draws.random() < 0.3:
            driver.halt = float(draws.uniform(*_HALTS))
            driver.halt_s = float(draws.uniform(1.5, 3))
        found.append(driver)
        time += 1.6 + float(draws.exponential(3.0))
    return found


def _drive(drivers: Sequence[_Driver], red: Sequence[float], seconds: float) -> None:
    """Move the vehicles of one lane through the whole film."""
    active: list[_Driver] = []
    waiting = list(drivers)
    was_red = False
    for time in numpy.arange(_BEGIN, seconds + _STEP, _STEP).tolist():
        if waiting and time >= waiting[0].begin and _is_free(active):
            waiting[0].speed = min(waiting[0].wanted, active[-1].speed if active else _FAR)
            active.append(waiting.pop(0))
        is_red = any(0 <= time - begin < _RED_S for begin in red)
        if is_red != was_red:
            for one in active:
                one.stops = is_red and _can_stop(one)
            was_red = is_red
        for at, one in enumerate(active):
            if is_red and not one.path:
                one.stops = True
            _follow(one, active[at - 1] if at else None, time)
        if active and active[0].front - active[0].shape.length > WIDTH + 300:
            del active[0]


def _is_free(active: Sequence[_Driver]) -> bool:
    return not active or active[-1].front - active[-1].shape.length > _ENTRY + 2 * _GAP


def _can_stop(one: _Driver) -> bool:
    return STOP - one.front > one.speed**2 / (2 * _HARDEST_BRAKING) + 1


def _follow(one: _Driver, ahead: _Driver | None, time: float) -> None:
    """Move behind the nearest of: the vehicle ahead, the red light, a halt of its own."""
    places = [(_FAR, 0.0)]
    if ahead is not None:
        places.append((ahead.front - ahead.shape.length, ahead.speed))
        if _would_block(one, ahead):
            places.append((STOP, 0.0))
    if one.stops:
        places.append((STOP, 0.0))
    places.append((one.halts_at(time), 0.0))
    one.move(time, *min(places))


def _would_block(one: _Driver, ahead: _Driver) -> bool:
    """Whether a vehicle would come to stand on the crossing, behind one that stands or creeps."""
    stopped = ahead.front + ahead.speed**2 / (2 * _BRAKING)
    room = stopped - ahead.shape.length - (WIDTH - STOP)
    return _can_stop(one) and ahead.speed < _CREEPS and room < one.shape.length + _GAP


def _mover(driver: _Driver, lane: int) -> Mover:
    path = numpy.array(driver.path)
    return Mover(driver.shape, lane, path[:, 0], path[:, 1])


def _walkers(draws: numpy.random.Generator, red: float, seconds: float) -> list[Mover]:
    """Return the persons of one red light, each in a column of their own."""
    columns = draws.permutation(int((CROSSING[1] - CROSSING[0]) / COLUMN))
    found = []
    for column in columns[: int(draws.integers(3, 7))].tolist():
        shape = Shape("person", 11.0, float(draws.uniform(26, 30)), int(draws.integers(1 << 30)))
        lane = int(draws.integers(2, 4))
        speed = float(draws.uniform(20, 26))
        start = red + _CLEAR_S + float(draws.uniform(0, 1.5))
        waits = float(draws.uniform(0.5, 6))
        x = CROSSING[0] + COLUMN * (column + 0.75)
        times, rows = _walk(lane, speed, start, waits)
        found.append(Mover(shape, lane, times, rows, x))
    return [one for one in found if one.times[0] < seconds]


def _walk(lane: int, speed: float, start: float, waits: float) -> tuple[Floats, Floats]:
    """Return the path of a person: to the kerb, waiting, over the road and away."""
    rows = [DOORS, TOP_KERB, TOP_KERB, HEIGHT + 40.0]
    if lane == 3:
        rows = [HEIGHT + 40.0, BOTTOM_KERB, BOTTOM_KERB, DOORS]
    kerb = start - waits
    begin, end = kerb - abs(rows[1] - rows[0]) / speed, start + abs(rows[3] - rows[2]) / speed
    return numpy.array([begin, kerb, start, end]), numpy.array(rows)
