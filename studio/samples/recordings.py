"""Recordings that are composed when a sample is put together, with the events that are true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy
from numpy.typing import NDArray

from studio.api import Progress, Unavailable
from studio.samples.spoken_words import write_speech
from studio.samples.street.pictures import StreetCamera
from studio.samples.street.scene import FPS, HEIGHT, WIDTH, Street
from studio.samples.street.truth import events_of, street_with_one_answer
from studio.samples.true_events import TrueEvent, write_events

Floats = NDArray[numpy.float64]

RATE_HZ = 4096
SHAFT_HZ = 25.0
IMPACTS = 3.58
"""Impacts in a turn of the shaft."""
RMS_LIMIT = 2.0
"""Limit of a rule of the sample."""

_NOTICED_S = 1.6
"""Half a window, and the second for which a rule must hold."""
_RESONANCE_HZ, _DECAY_S = 1100.0, 0.0015
_FIRST_IMPACT, _GROWTH = 6.0, 0.6
"""Of an impact in m/s2 when the damage begins, and a second."""
_TURNING = ((1.0, 0.6), (2.0, 0.25), (12.0, 0.2))
"""Multiples of the shaft's frequency, and their amplitudes in m/s2."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions that make a recording hard.

    Attributes:
        noise: Standard deviation of the noise in m/s2.
        drift: Largest change of the shaft's speed, as a share.
        load: Factor on the vibration of the shaft after a change of load.
    """

    noise: float = 0.4
    drift: float = 0.0
    load: float = 1.0


CLEAN = Conditions()
HARD = Conditions(noise=0.5, drift=0.05, load=1.3)


class Machine:
    """A recording of a machine.

    Attributes:
        damaged_at: Second at which the bearing's damage begins.
    """

    def __init__(self, seed: int, seconds: float, conditions: Conditions = CLEAN) -> None:
        self._draws = numpy.random.default_rng([seed, 1])
        self._seconds = seconds
        self._conditions = conditions
        self.damaged_at = float(self._draws.uniform(0.3, 0.45)) * seconds
        self._load_at = float(self._draws.uniform(0.1, 0.25)) * seconds
        self._phase = float(self._draws.uniform(0, 6.28))

    def signal(self) -> Floats:
        """Return its acceleration in m/s2, ``RATE_HZ`` samples a second."""
        times = numpy.arange(round(self._seconds * RATE_HZ)) / RATE_HZ
        turns = numpy.cumsum(self._shaft_hz(times)) / RATE_HZ
        load = numpy.where(times < self._load_at, 1.0, self._conditions.load)
        found = self._draws.normal(0, self._conditions.noise, len(times))
        for multiple, amplitude in _TURNING:
            found += amplitude * load * numpy.sin(6.283185 * multiple * turns + self._phase)
        return found + self._impacts(times, turns)

    def events(self) -> list[TrueEvent]:
        """Return what an app should report: damage, then strong vibration."""
        growth = _impact_for(RMS_LIMIT, self._conditions) - _FIRST_IMPACT
        strong = self.damaged_at + growth / _GROWTH
        found = [
            TrueEvent("bearing-damage", step, self.damaged_at + _NOTICED_S)
            for step in ("damage", "learned")
        ]
        if strong < self._seconds - 3:
            found.append(TrueEvent("vibration-high", "strong", strong + _NOTICED_S))
        return found

    def _shaft_hz(self, times: Floats) -> Floats:
        wave = numpy.sin(6.283185 * times / self._seconds + self._phase)
        return SHAFT_HZ * (1 + self._conditions.drift * wave)

    def _impacts(self, times: Floats, turns: Floats) -> Floats:
        """Return the impacts; each comes up to a sample early or late."""
        found = numpy.zeros(len(times))
        passed = numpy.floor(turns * IMPACTS)
        starts = numpy.flatnonzero(numpy.diff(passed) > 0)
        length = round(8 * _DECAY_S * RATE_HZ)
        ring = numpy.arange(length) / RATE_HZ
        shape = numpy.exp(-ring / _DECAY_S) * numpy.sin(6.283185 * _RESONANCE_HZ * ring)
        for start in starts[times[starts] >= self.damaged_at].tolist():
            size = _FIRST_IMPACT + _GROWTH * (start / RATE_HZ - self.damaged_at)
            at = start + int(self._draws.integers(-1, 2))
            part = found[at : at + length]
            part += size * float(self._draws.uniform(0.9, 1.1)) * shape[: len(part)]
        return found


def _impact_for(rms: float, conditions: Conditions) -> float:
    """Return the size of impacts in m/s2 with which the whole vibration reaches an RMS."""
    turning = sum(amplitude**2 for _, amplitude in _TURNING) / 2 * conditions.load**2
    left = rms**2 - turning - conditions.noise**2
    # Mean square of a decaying oscillation of size 1, IMPACTS * SHAFT_HZ times a second.
    one = _DECAY_S / 4 * IMPACTS * SHAFT_HZ
    return float((left / one) ** 0.5)


def write_signal(path: Path, machine: Machine, progress: Progress) -> None:
    """Write a recording as CSV: one column with a header."""
    progress.progress(0, 1, "Composing the vibration")
    rows = [f"{value:.4f}\n" for value in machine.signal().tolist()]
    path.write_text("acceleration\n" + "".join(rows), encoding="ascii")


def write_street(path: Path, seed: int, seconds: float, progress: Progress) -> None:
    """Write a film of the street, and its expected events.

    Raises:
        Unavailable: when OpenCV is not installed, or cannot write the film.
    """
    scene = street_with_one_answer(seed, seconds)
    write_film(path, scene, progress)
    write_events(_expected(path), events_of(scene))


def write_film(path: Path, scene: Street, progress: Progress) -> None:
    """Write all frames of a street as motion JPEG.

    Raises:
        Unavailable: when OpenCV is not installed, or cannot write the film.
    """
    try:
        import cv2
    except ImportError:
        raise Unavailable(
            "Composing the film needs OpenCV, which is not installed.",
            hint="Install the extra: edgewright[video].",
        ) from None
    camera, count = StreetCamera(scene), round(scene.seconds * FPS)
    form, size = cv2.VideoWriter.fourcc(*"MJPG"), (WIDTH, HEIGHT)
    film = cv2.VideoWriter(str(path), form, FPS, size)
    if not film.isOpened():
        raise Unavailable(f"OpenCV cannot write {path.name} here.")
    try:
        for number in range(count):
            progress.progress(number, count, f"Composing frame {number + 1} of {count}")
            film.write(cv2.cvtColor(camera.picture(number / FPS), cv2.COLOR_RGB2BGR))
    finally:
        film.release()


def write_bearing(path: Path, seed: int, seconds: float, progress: Progress) -> None:
    """Write the vibration of a machine as CSV, and its expected events."""
    machine = Machine(seed, seconds)
    write_signal(path, machine, progress)
    write_events(_expected(path), machine.events())


def _expected(path: Path) -> Path:
    return path.with_name("expected.jsonl")


WRITERS: Mapping[str, Callable[[Path, int, float, Progress], None]] = {
    "street": write_street,
    "bearing": write_bearing,
    "speech": write_speech,
}
"""Functions that write a recording and its expected events, by the kind in the catalogue."""
