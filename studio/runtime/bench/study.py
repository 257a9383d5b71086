"""The study: load, compare, warm up, measure in the mode that is asked for, say what was found."""

from __future__ import annotations

import tempfile
import time
from typing import Any

from .bench import Bench, Emit
from .config import Config
from .entry import BenchCandidate
from .errors import CandidateError
from .machine import energy
from .machine.environment import at_the_end, environment
from .measures.latency import Rounds
from .measures.open_loop import OpenLoop
from .measures.sustained import Sustained
from .measures.throughput import Throughput
from .preparation import Preparation
from .process import CancelWatch
from .stream import PROTOCOL


class Study:
    """Runs one configuration and emits the events (see the package's docstring)."""

    def __init__(self, config: Config, emit: Emit, watch: CancelWatch) -> None:
        self._bench = Bench(config, emit, watch)

    def run(self) -> None:
        """Do all of it.

        Raises:
            BenchError: when no candidate works, or the inputs cannot be made.
            Cancelled: when it was cancelled; no process is left.
        """
        bench = self._bench
        bench.emit({"event": "started", "protocol": PROTOCOL, "environment": environment()})
        try:
            self._measure()
            if bench.config.energy:
                bench.result["energy"] = energy_of(bench)
            self._finish()
        finally:
            for entry in bench.entries:
                entry.end()

    def _measure(self) -> None:
        bench = self._bench
        with tempfile.TemporaryDirectory(prefix="edgewright-bench-") as folder:
            preparation = Preparation(bench, folder)
            preparation.run()
            if bench.config.mode == "throughput":
                mode: Any = Throughput(bench, preparation)
        if bench.config.mode == "latency":
            mode = Rounds(bench)
        elif bench.config.mode == "open-loop":
            mode = OpenLoop(bench)
        elif bench.config.mode == "sustained":
            mode = Sustained(bench)
        self._warm_up()
        mode.run()

    def _warm_up(self) -> None:
        bench = self._bench
        alive = bench.alive
        seconds = bench.config.warm_up_seconds
        for number, entry in enumerate(alive):
            bench.progress("warm-up", number, len(alive), f"Warming up {entry.id}")
            with bench.dropping(entry):
                timeout = seconds + bench.config.run_timeout
                entry.facts["warm_up"] = entry.ask(
                    "cannot run", timeout, do="warm", seconds=seconds
                )

    def _finish(self) -> None:
        bench = self._bench
        for entry in bench.alive:
            with bench.dropping(entry):
                entry.facts.update(entry.ask("crashed", 30.0, do="memory"))
                if bench.config.operators and not entry.twin and not entry.hidden:
                    self._operators(entry)
                entry.state = "measured"
        for entry in bench.alive:
            if entry.process is not None:
                entry.process.close()
                entry.process = None
        bench.emit(self._result())

    def _operators(self, entry: BenchCandidate) -> None:
        config = self._bench.config
        self._bench.progress("operators", 0, 0, f"Timing the operators of {entry.id}")
        timeout = config.load_timeout + config.run_timeout
        runs = config.operators
        try:
            answer = entry.ask("cannot run", timeout, do="operators", runs=runs)
        except CandidateError as failure:
            if failure.state != "cannot run":
                raise
            # Its latencies stand; only the operators are missing.
            entry.facts["operators_reason"] = failure.reason
            return
        self._bench.emit(dict(answer, event="operators", id=entry.id))

    def _result(self) -> dict[str, Any]:
        bench = self._bench
        assert bench.reference is not None
        twin = next((entry.id for entry in bench.entries if entry.twin), None)
        result: dict[str, Any] = {
            "event": "result",
            "mode": bench.config.mode,
            "reference": bench.reference.id,
            "twin": twin,
            "feeds": [each.to_json() for each in bench.inputs],
            "candidates": [entry.to_json() for entry in bench.entries if not entry.hidden],
            "environment_end": at_the_end(),
            "rounds": 0,
            "spoiled": {},
        }
        return dict(result, **bench.result)


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


def _load(bench: Bench, entry: BenchCandidate) -> energy.Load:
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
