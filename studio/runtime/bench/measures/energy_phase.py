"""The part of a study that measures energy, once the mode has had its turn."""

from __future__ import annotations

import time
from typing import Any

from ..bench import Bench
from ..entry import Entry
from ..machine import energy

_STEP = 0.05


def energy_of(bench: Bench) -> dict[str, Any]:
    """The energy of each candidate that still works; see ``energy.measure``."""
    config = bench.config
    entries = [each for each in bench.alive if not each.twin and not each.hidden]
    loads = [_load(bench, each) for each in entries if each.facts.get("warm_up")]
    bench.progress("energy", 0, 0, "Measuring energy")
    sensors = energy.sensors(meter=config.meter)
    found = energy.measure(loads, sensors, config.energy, lambda seconds: _rest(bench, seconds))
    for entry in entries:
        if not entry.alive:
            found["runs"].pop(entry.id, None)
    return found


def _load(bench: Bench, entry: Entry) -> energy.Load:
    median = float(entry.facts["warm_up"]["median_ns"])

    def run(runs: int) -> None:
        if not entry.alive:
            return
        timeout = bench.config.run_timeout + 5 * runs * median / 1e9
        with bench.dropping(entry):
            entry.ask("cannot run", timeout, do="time", runs=runs, settle=0)

    return energy.Load(entry.id, median, run)


def _rest(bench: Bench, seconds: float) -> None:
    """Wait, with an eye on being cancelled."""
    end = time.monotonic() + seconds
    while True:
        bench.watch.check()
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(_STEP, left))
