"""The mode ``sustained``: one candidate after the other, each for minutes, as a time series."""

from __future__ import annotations

import statistics
import time

from ..answers import StreamBlock
from ..bench import Bench
from ..entry import BenchCandidate
from ..facts import PointMessage
from ..machine.sensors import Reading, Sensors, spoils

COOL_DOWN_SECONDS = 120.0
"""Longest wait for the processor to come back to the temperature that it had before."""

COOL_ENOUGH_C = 2.0


class Sustained:
    """Time series of each candidate."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._sensors = Sensors()

    def run(self) -> None:
        """Measure them one after the other; the twin is not measured."""
        entries = [entry for entry in self._bench.alive if not entry.twin]
        before = self._sensors.read().temperature_c
        for number, entry in enumerate(entries):
            if number:
                self._cool_down(before)
            with self._bench.dropping(entry):
                self._series(entry, number, len(entries))

    def _series(self, entry: BenchCandidate, number: int, of: int) -> None:
        config = self._bench.config
        begin = time.monotonic()
        while True:
            before = self._sensors.read()
            answer = entry.call(
                "cannot run",
                config.run_timeout + 10 * config.interval,
                StreamBlock,
                do="streams",
                streams=config.streams[0],
                seconds=config.interval,
            )
            now = time.monotonic() - begin
            self._bench.emit(self._point(entry, now, answer, before))
            share = (number + min(1.0, now / config.duration)) / of
            text = f"{entry.id}: {int(now)} of {int(config.duration)} s"
            self._bench.progress("sustained", share, 1.0, text)
            if now >= config.duration:
                return

    def _point(
        self, entry: BenchCandidate, now: float, answer: StreamBlock, before: Reading
    ) -> PointMessage:
        after = self._sensors.read()
        times = sorted(answer.times_ns)
        ticks = after.total - before.total
        return PointMessage(
            id=entry.id,
            t_s=round(now, 3),
            inferences=answer.count,
            per_second=answer.per_second,
            p50_ms=statistics.median(times) / 1e6,
            p90_ms=times[int(0.9 * (len(times) - 1))] / 1e6,
            max_ms=times[-1] / 1e6,
            cpu_ms=answer.cpu_ns / answer.count / 1e6,
            clock_mhz=after.clock_mhz,
            temperature_c=after.temperature_c,
            stolen=(after.stolen - before.stolen) / ticks if ticks > 0 else 0.0,
            spoiled=tuple(spoils([before, after])),
        )

    def _cool_down(self, wanted: float | None) -> None:
        """Wait until the processor is as cool as at the start, if its temperature is known."""
        end = time.monotonic() + COOL_DOWN_SECONDS
        while wanted is not None and time.monotonic() < end:
            now = self._sensors.read().temperature_c
            if now is None or now <= wanted + COOL_ENOUGH_C:
                return
            self._bench.progress("cool-down", 0, 0, f"Cooling down from {now:.0f} C")
            time.sleep(0.5)
