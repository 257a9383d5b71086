"""The mode ``throughput``: every number of streams with every batch, in interleaved rounds."""

from __future__ import annotations

from dataclasses import replace

from .. import plan
from ..answers import StreamBlock
from ..bench import Bench
from ..entry import BenchCandidate
from ..events import SettingBlock, SettingState
from ..machine.sensors import Sensors, spoils
from ..preparation import Preparation
from .latency import round_event
from .timing import Block

LEAST_BLOCK = 0.05
"""Seconds; a shorter block would be all beginning and end."""

LEAST_ROUNDS = 18
"""One half of them chooses the best settings, the other compares them."""

MOST_BLOCK = 2.0


class Setting:
    """Number of streams of an entry, which has its batch.

    Attributes:
        cell: Its name in the rounds.
    """

    def __init__(self, entry: BenchCandidate, owner: str, streams: int, batch: int) -> None:
        self.entry = entry
        self.owner = owner
        self.streams = streams
        self.batch = batch
        self.cell = f"{owner}|{streams}|{batch}"

    def result(self) -> SettingState:
        """Return its part of the result."""
        state = "measured" if self.entry.alive else self.entry.state
        names = self.owner, self.cell, self.streams, self.batch
        return SettingState(*names, state, self.entry.reason)


def cell_parts(cell: str) -> tuple[str, int, int]:
    """Candidate, streams and batch of a setting's name."""
    owner, streams, batch = cell.rsplit("|", 2)
    return owner, int(streams), int(batch)


class Throughput:
    """Interleaved rounds of the mode ``throughput``."""

    def __init__(self, bench: Bench, preparation: Preparation) -> None:
        self._bench = bench
        self._settings: list[Setting] = []
        self._spoiled: dict[str, int] = {}
        config = bench.config
        for entry in [each for each in bench.entries if each.state == "ready"]:
            if entry.twin:
                if config.batches[0] == 1:
                    self._settings.append(Setting(entry, entry.id, config.streams[0], 1))
                continue
            for batch in config.batches:
                own = entry if batch == 1 else preparation.batched(entry, batch)
                for streams in config.streams:
                    self._settings.append(Setting(own, entry.id, streams, batch))

    def run(self) -> None:
        """Measure, a block of each setting a round."""
        config = self._bench.config
        count = max(1, len(self._settings))
        rounds = min(config.rounds, max(LEAST_ROUNDS, int(config.seconds / LEAST_BLOCK / count)))
        block = min(MOST_BLOCK, max(LEAST_BLOCK, config.seconds / rounds / count))
        cells = {each.cell: each for each in self._settings}
        sensors = Sensors()
        done = 0
        for number, order in zip(range(1, rounds + 1), plan.orders(list(cells), config.seed)):
            if not any(each.entry.alive for each in self._settings):
                break
            self._round(number, rounds, [cells[each] for each in order], block, sensors)
            done = number
        settings = tuple(one.result() for one in self._settings)
        self._bench.add(rounds=done, spoiled=self._spoiled, settings=settings)

    def _round(
        self, number: int, rounds: int, order: list[Setting], seconds: float, sensors: Sensors
    ) -> None:
        readings = [sensors.read()]
        blocks: dict[str, Block] = {}
        settings: dict[str, SettingBlock] = {}
        for setting in order:
            entry = setting.entry
            if not entry.alive:
                continue
            with self._bench.dropping(entry):
                answer = entry.call(
                    "cannot run",
                    self._bench.config.run_timeout + 10 * seconds,
                    StreamBlock,
                    do="streams",
                    streams=setting.streams,
                    seconds=seconds,
                )
                samples = answer.count * setting.batch
                time = 1e9 / (answer.per_second * setting.batch)
                blocks[setting.cell] = Block([time], time, answer.cpu_ns / samples)
                cores = answer.cpu_ns / answer.wall_ns
                settings[setting.cell] = SettingBlock(samples, cores, answer.times_ns)
            readings.append(sensors.read())
        reasons = spoils(readings)
        for reason in reasons:
            self._spoiled[reason] = self._spoiled.get(reason, 0) + 1
        event = round_event(number, rounds, blocks, readings, reasons)
        self._bench.emit(replace(event, blocks=settings))
