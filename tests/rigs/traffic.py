"""Composed traffic: boxes of a simulated detector, with the crossings and speeds that are true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from studio.runtime.apps.items import FrameStamp, Objects

WIDTH, HEIGHT, FPS = 1280, 720, 25.0
LINE = ((640.0, 40.0), (640.0, 700.0))
"""Line from the top down: its left hand, in the picture, is the right side, x > 640."""
SPEED_LINES = ((400.0, 0.0, 400.0, 720.0), (880.0, 0.0, 880.0, 720.0))
PIXELS_PER_METRE = 24.0
PIXELS = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True)
class Trouble:
    """What makes a scene hard.

    Attributes:
        jitter: Standard deviation of each edge of a box, in heights.
        missed: Share of the boxes that are not found.
        false: Mean number of false boxes in a frame.
        hidden: Covered share of an object from which it is not found.
        dropped: Share of the frames that are dropped.
    """

    jitter: float = 0.005
    missed: float = 0.0
    false: float = 0.0
    hidden: float = 2.0
    dropped: float = 0.0


CLEAN = Trouble()
HARD = Trouble(jitter=0.03, missed=0.1, false=0.05, hidden=0.6, dropped=0.2)


@dataclass(frozen=True)
class Mover:
    """An object that moves in a straight line.

    Attributes:
        begin: Second at which it appears.
        foot: Where the middle of its lower edge begins, in pixels.
        velocity: Pixels a second.
        size: Width and height in pixels.
    """

    label: str
    begin: float
    foot: tuple[float, float]
    velocity: tuple[float, float]
    size: tuple[float, float]

    def at(self, time: float) -> tuple[float, float]:
        """Where its foot is."""
        passed = time - self.begin
        return self.foot[0] + self.velocity[0] * passed, self.foot[1] + self.velocity[1] * passed

    def corners(self, time: float) -> tuple[float, float, float, float]:
        """Its box."""
        x, y = self.at(time)
        return x - self.size[0] / 2, y - self.size[1], x + self.size[0] / 2, y

    @property
    def crossing(self) -> float:
        """Second at which its foot is on the line; every mover crosses it once."""
        return self.begin + (LINE[0][0] - self.foot[0]) / self.velocity[0]

    @property
    def measured(self) -> float:
        """Second at which its foot is on the second of the two lines for its speed."""
        places = (SPEED_LINES[0][0], SPEED_LINES[1][0])
        return max(self.begin + (x - self.foot[0]) / self.velocity[0] for x in places)

    @property
    def direction(self) -> str:
        """As a line names it whose first name is its left hand: the right side here."""
        return "in" if self.velocity[0] > 0 else "out"

    @property
    def metres_a_second(self) -> float:
        """Its speed between the two lines, across which it may move at an angle."""
        return abs(self.velocity[0]) / PIXELS_PER_METRE


@dataclass
class Scene:
    """Movers, and what the detector finds of them."""

    seed: int
    trouble: Trouble
    movers: list[Mover] = field(default_factory=list)
    seconds: float = 0.0

    def frames(self) -> Iterator[tuple[FrameStamp, Objects]]:
        """Objects of each frame that is not dropped."""
        draws = np.random.default_rng([self.seed, 1])
        for number in range(int(self.seconds * FPS)):
            found = self._found(number / FPS, draws)
            if draws.random() < self.trouble.dropped:
                continue
            time = number / FPS
            yield FrameStamp("camera", number, time, 1.7e9 + time, 0.0), found

    def _found(self, time: float, draws: np.random.Generator) -> Objects:
        seen = [one for one in self.movers if one.begin <= time and _is_near(one, time)]
        seen.sort(key=lambda one: -one.at(time)[1])  # the nearest first
        boxes, scores, labels = [], [], []
        for at, one in enumerate(seen):
            box = np.array(one.corners(time))
            covered = max((_covered(box, other.corners(time)) for other in seen[:at]), default=0.0)
            score = float(np.clip(draws.normal(0.8, 0.08) - 0.5 * covered, 0.05, 1.0))
            noise = draws.normal(0, self.trouble.jitter * one.size[1], 4)
            if covered > self.trouble.hidden or draws.random() < self.trouble.missed:
                continue
            boxes.append(box + noise)
            scores.append(score)
            labels.append(one.label)
        for _ in range(draws.poisson(self.trouble.false)):
            x, y = draws.uniform(0, WIDTH), draws.uniform(100, HEIGHT)
            boxes.append(np.array([x - 20, y - 90, x + 20, y]))
            scores.append(float(draws.uniform(0.3, 0.7)))
            labels.append("person")
        corners = np.array(boxes).reshape(-1, 4)
        return Objects(PIXELS, corners, np.array(scores), tuple(labels))


def street(seed: int, count: int = 24, trouble: Trouble = CLEAN) -> Scene:
    """Vehicles and persons in lanes: those of one lane follow each other at a distance."""
    draws = np.random.default_rng([seed, 0])
    scene = Scene(seed, trouble)
    clocks = [0.5] * 6
    for _ in range(count):
        lane = int(draws.integers(6))
        label = ("person", "car", "person", "truck", "person", "bicycle")[lane]
        size = {"person": (36, 90), "car": (150, 75), "truck": (220, 110), "bicycle": (70, 85)}
        speed = float(draws.uniform(50, 110) if label == "person" else draws.uniform(180, 420))
        scene.movers.append(_mover(label, clocks[lane], lane, speed, size[label]))
        clocks[lane] = _clear_of(scene.movers[-1], speed) + float(draws.uniform(0.2, 1.5))
    scene.seconds = max(_end(one) for one in scene.movers) + 2.0
    return scene


def crowd(seed: int, count: int = 24, trouble: Trouble = HARD) -> Scene:
    """Persons that walk at all angles, and hide each other."""
    draws = np.random.default_rng([seed, 2])
    scene = Scene(seed, trouble)
    for at in range(count):
        height = float(draws.uniform(70, 120))
        speed = float(draws.uniform(0.6, 1.1)) * height
        goes_right = bool(draws.integers(2))
        begin, end = draws.uniform(240, 660, 2)
        across = speed if goes_right else -speed
        seconds = (WIDTH + 120) / speed
        foot = (-60.0 if goes_right else WIDTH + 60.0, float(begin))
        velocity = (across, float(end - begin) / seconds)
        start = 0.5 + 1.6 * at + float(draws.uniform(0, 1.5))
        scene.movers.append(Mover("person", start, foot, velocity, (0.38 * height, height)))
    scene.seconds = max(_end(one) for one in scene.movers) + 2.0
    return scene


def matched(
    events: list[tuple[float, str, str]], scene: Scene, tolerance_s: float = 1.0
) -> tuple[int, int, int]:
    """Compare crossings with the truth.

    Args:
        events: Time, direction and label of each.

    Returns:
        How many are right, missed and false.
    """
    left = list(events)
    right = 0
    for one in sorted(scene.movers, key=lambda mover: mover.crossing):
        near = [
            (abs(event[0] - one.crossing), event)
            for event in left
            if event[1:] == (one.direction, one.label)
            and abs(event[0] - one.crossing) <= tolerance_s
        ]
        if near:
            left.remove(min(near)[1])
            right += 1
    return right, len(scene.movers) - right, len(left)


def speed_error(time: float, label: str, metres_a_second: float, scene: Scene) -> float:
    """Relative error of a speed that was measured at some second, by who was there then."""
    same = [one for one in scene.movers if one.label == label]
    true = min(same, key=lambda one: abs(one.measured - time))
    return abs(metres_a_second / true.metres_a_second - 1)


def _mover(label: str, begin: float, lane: int, speed: float, size: tuple[int, int]) -> Mover:
    right = lane % 2 == 0
    foot = (-size[0] / 2 if right else WIDTH + size[0] / 2, 160.0 + 100 * lane)
    return Mover(label, begin, foot, (speed if right else -speed, 0.0), size)


def _end(one: Mover) -> float:
    return one.begin + (WIDTH + one.size[0] + 120) / abs(one.velocity[0])


def _clear_of(one: Mover, speed: float) -> float:
    """When a follower may begin that is up to 420 pixels a second fast."""
    follower = WIDTH / (110 if one.label == "person" else 420)
    return max(one.begin + (one.size[0] * 1.6) / speed, _end(one) - follower)


def _is_near(one: Mover, time: float) -> bool:
    x, _ = one.at(time)
    return -one.size[0] / 2 <= x <= WIDTH + one.size[0] / 2


def _covered(box: np.ndarray, other: tuple[float, float, float, float]) -> float:
    """Share of a box that another one covers."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return float(width * height / ((box[2] - box[0]) * (box[3] - box[1])))
