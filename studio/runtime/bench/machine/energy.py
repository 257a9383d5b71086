"""Energy of an inference: blocks of work between blocks of rest, net of the power at rest."""

from __future__ import annotations

import importlib.util
import math
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Sequence

from ...shared.threads import guarded_thread
from ..facts import EnergyMeasurement, InferenceEnergy, NoEnergyMeasurement
from .rails import ENERGY, Rail, RailScan, find_rails, from_meter

SAMPLES_A_SECOND = 100.0
"""How often a sensor of power is asked; the sensor's own rate is lower, and is told beside it."""

ASKED_A_SECOND = 10.0
"""How often where a program has to be started for each answer."""

BLOCKS = 8
"""Blocks of each candidate; the interval is over these."""

_FEW_CHANGES = 3
# Student's t at .975, for 1 to 15 degrees of freedom.
_STUDENT = (
    12.71,
    4.30,
    3.18,
    2.78,
    2.57,
    2.45,
    2.36,
    2.31,
    2.26,
    2.23,
    2.20,
    2.18,
    2.16,
    2.14,
    2.13,
)


@dataclass(frozen=True)
class Load:
    """A candidate that can be kept busy.

    Attributes:
        median_ns: Of an inference.
        run: Makes a number of inferences, one after the other.
    """

    id: str
    median_ns: float
    run: Callable[[int], Any]


class Recorder:
    """Sampler of a rail during an action, which sums up the energy."""

    def __init__(self, rail: Rail) -> None:
        self._rail = rail
        self._period = 1 / (ASKED_A_SECOND if rail.command else SAMPLES_A_SECOND)
        self.samples: list[tuple[float, float]] = []

    def during(self, action: Callable[[], Any]) -> float:
        """Return the joules taken during an action; ``seconds`` then has its duration.

        Raises:
            ValueError: when the sensor did not answer.
        """
        ended = threading.Event()
        self.samples = []
        self._read_once()
        errors: list[BaseException] = []
        sampler = guarded_thread("energy", lambda: self._sample(ended), errors.append, lasts=False)
        sampler.start()
        try:
            action()
        finally:
            ended.set()
            sampler.join()
        self._read_once()
        if errors or len(self.samples) < 2:
            raise ValueError("the sensor did not answer")
        return self._joules()

    @property
    def seconds(self) -> float:
        """Between the first and the last sample."""
        return self.samples[-1][0] - self.samples[0][0]

    @property
    def changes(self) -> int:
        """Number of new values that the sensor reported."""
        values = [value for _, value in self.samples]
        return sum(values[i] != values[i - 1] for i in range(1, len(values)))

    def _sample(self, ended: threading.Event) -> None:
        while not ended.wait(self._period):
            self._read_once()

    def _read_once(self) -> None:
        try:
            before = time.monotonic()
            value = self._rail.read()
        except (OSError, ValueError):
            return  # a sensor that is silent for a moment leaves a gap
        self.samples.append(((before + time.monotonic()) / 2, value))

    def _joules(self) -> float:
        pairs = zip(self.samples, self.samples[1:])
        if self._rail.kind == ENERGY:
            return sum(self._step(one[1], two[1]) for one, two in pairs)
        return sum((two[0] - one[0]) * (one[1] + two[1]) / 2 for one, two in pairs)

    def _step(self, one: float, two: float) -> float:
        """Return the increment of a counter, which may have wrapped around."""
        if two >= one:
            return two - one
        return two - one + self._rail.wraps_at if self._rail.wraps_at else 0.0


def measure(
    loads: Sequence[Load],
    found: RailScan,
    seconds: float,
    rest: Callable[[float], Any] = time.sleep,
    blocks: int = BLOCKS,
) -> EnergyMeasurement | NoEnergyMeasurement:
    """Return the energy of each candidate's inferences.

    Blocks of rest and work alternate. Each block of work is compared with the rest before and after
    it, so that other load or a rising temperature disturbs both.

    Args:
        seconds: Length of a block, of rest and of work.
        rest: Waits; the bench's own may be cancelled.
    """
    rail = found.whole
    if rail is None:
        return NoEnergyMeasurement("no sensor", found.why_none)
    recorder = Recorder(rail)
    try:
        return _measure(loads, found, rail, recorder, seconds, rest, blocks)
    except ValueError as error:
        reason = f"{rail.source} {rail.name}: {error}"
        return NoEnergyMeasurement("no sensor", reason)


def _measure(
    loads: Sequence[Load],
    found: RailScan,
    rail: Rail,
    recorder: Recorder,
    seconds: float,
    rest: Callable[[float], Any],
    blocks: int,
) -> EnergyMeasurement:
    def idle() -> float:
        joules = recorder.during(lambda: rest(seconds))
        return joules / recorder.seconds

    rests = [idle()]
    works: dict[str, list[Block]] = {load.id: [] for load in loads}
    for _ in range(blocks):
        for load in loads:
            runs = max(1, round(seconds * 1e9 / load.median_ns))
            joules = recorder.during(partial(load.run, runs))
            length, changes = recorder.seconds, recorder.changes
            rests.append(idle())
            net = joules - (rests[-2] + rests[-1]) / 2 * length
            works[load.id].append(Block(runs, length, joules, net, changes))
    done = [block for each in works.values() for block in each]
    changes = sum(block.changes for block in done)
    return EnergyMeasurement(
        state="measured",
        reason="",
        rail=rail.name,
        source=rail.source,
        rails=tuple(f"{each.source} {each.name}" for each in found.rails),
        asked_hz=ASKED_A_SECOND if rail.command else SAMPLES_A_SECOND,
        updates_hz=round(changes / sum(block.seconds for block in done), 2),
        sensor_update_s=rail.update_s,
        block_s=seconds,
        idle_w=sum(rests) / len(rests),
        runs={name: _run(made) for name, made in works.items()},
    )


@dataclass(frozen=True)
class Block:
    """One block of work.

    Attributes:
        net: Joules without those of rest.
        changes: How often the sensor reported a new value.
    """

    runs: int
    seconds: float
    joules: float
    net: float
    changes: int


def _run(blocks: Sequence[Block]) -> InferenceEnergy:
    """Return one candidate's figures from its blocks."""
    mean, half = interval([1e3 * block.net / block.runs for block in blocks])
    inferences = sum(block.runs for block in blocks)
    joules = sum(block.joules for block in blocks)
    reason = ""
    if sum(block.changes for block in blocks) < _FEW_CHANGES * len(blocks):
        reason = "the sensor changed too seldom within a block: take longer ones"
    elif mean - half <= 0:
        reason = "not above what the machine takes at rest"
    return InferenceEnergy(
        mj=mean,
        low=mean - half,
        high=mean + half,
        gross_mj=1e3 * joules / inferences,
        watts=joules / sum(block.seconds for block in blocks),
        inferences=inferences,
        blocks=len(blocks),
        reason=reason,
    )


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and half its 95 % interval by Student's t, infinite for one value."""
    count = len(values)
    mean = sum(values) / count
    if count < 2:
        return mean, math.inf
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    quantile = _STUDENT[count - 2] if count - 2 < len(_STUDENT) else 2.1
    return mean, quantile * spread / math.sqrt(count)


def sensors(root: str = "/", meter: str = "") -> RailScan:
    """Return the sensors: a plugin's meter if one is named, else those of the machine.

    Args:
        meter: Path of a Python file with ``rails()``; see ``rails.from_meter``.
    """
    if not meter:
        return find_rails(root)
    found = RailScan()
    try:
        for rail in from_meter(_load(meter)):
            found.add(rail)
    except Exception as error:
        found.refused.append(f"the meter {meter} does not work: {error}")
    return found


def _load(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("edgewright_meter", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
