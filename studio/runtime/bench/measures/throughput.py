"""The mode ``throughput``: every number of streams with every batch, in interleaved rounds."""

from __future__ import annotations

from typing import Any

from .. import plan
from ..bench import Bench
from ..entry import BenchCandidate
from ..machine.sensors import Sensors, spoils
from ..preparation import Preparation
from .latency import round_event

LEAST_BLOCK = 0.05
"""Seconds; a shorter block would be all beginning and end."""

LEAST_ROUNDS = 18
"""One half of them chooses the best settings, the other compares them."""

MOST_BLOCK = 2.0


class Setting:
    """So many streams of an entry, which has its batch.

    Attributes:
        cell: Its name in the rounds.
    """

    def __init__(self, entry: BenchCandidate, owner: str, streams: int, batch: int) -> None:
        self.entry = entry
        self.owner = owner
        self.streams = streams
        self.batch = batch
        self.cell = f"{owner}|{streams}|{batch}"

    def to_json(self) -> dict[str, Any]:
        """Its part of the result."""
        values = {"id": self.owner, "cell": self.cell, "streams": self.streams}
        state = "measured" if self.entry.alive else self.entry.state
        return dict(values, batch=self.batch, state=state, reason=self.entry.reason)


def cell_parts(cell: str) -> tuple[str, int, int]:
    """Candidate, streams and batch of a setting's name."""
    owner, streams, batch = cell.rsplit("|", 2)
    return owner, int(streams), int(batch)


class Throughput:
    """Makes the rounds."""

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
        self._bench.result.update(
            rounds=done, spoiled=self._spoiled, settings=[one.to_json() for one in self._settings]
        )

    def _round(
        self, number: int, rounds: int, order: list[Setting], seconds: float, sensors: Sensors
    ) -> None:
        readings = [sensors.read()]
        blocks: dict[str, dict[str, Any]] = {}
        told: dict[str, dict[str, Any]] = {}
        for setting in order:
            entry = setting.entry
            if not entry.alive:
                continue
            with self._bench.dropping(entry):
                answer = entry.ask(
                    "cannot run",
                    self._bench.config.run_timeout + 10 * seconds,
                    do="streams",
                    streams=setting.streams,
                    seconds=seconds,
                )
                samples = answer["count"] * setting.batch
                time = 1e9 / (answer["per_second"] * setting.batch)
                cpu = answer["cpu_ns"] / samples
                blocks[setting.cell] = {"times_ns": [time], "wall_ns": time, "cpu_ns": cpu}
                cores = answer["cpu_ns"] / answer["wall_ns"]
                told[setting.cell] = {"samples": samples, "cores": cores}
                told[setting.cell]["latency_ns"] = answer["times_ns"]
            readings.append(sensors.read())
        reasons = spoils(readings)
        for reason in reasons:
            self._spoiled[reason] = self._spoiled.get(reason, 0) + 1
        event = round_event(number, rounds, blocks, readings, reasons)
        self._bench.emit(dict(event, blocks=told))
