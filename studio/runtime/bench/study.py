"""The study: load, compare, warm up, measure in the requested mode, report the result."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from typing import Protocol

from .answers import OperatorBlock, PeakMemory
from .bench import Bench, Emit
from .config import Config
from .entry import BenchCandidate
from .errors import CandidateError
from .events import BenchResult, OperatorsMeasured, Started
from .facts import EnergyMeasurement, Kernel, NoEnergyMeasurement, WarmUp, known
from .machine import energy
from .machine.environment import at_the_end, environment
from .measures.latency import Rounds
from .measures.open_loop import RateSearch
from .measures.sustained import Sustained
from .measures.throughput import Throughput
from .measures.timing import Block
from .preparation import Preparation
from .process import CancelWatch
from .tokens.memory import sweep
from .tokens.preparation import TokenPreparation
from .tokens.rounds import TokenRounds


class Mode(Protocol):
    """A way to measure the candidates."""

    def run(self) -> None:
        """Measure the candidates."""


class Study:
    """Study of one configuration, which emits the events (see the package's docstring)."""

    def __init__(self, config: Config, emit: Emit, watch: CancelWatch) -> None:
        self._bench = Bench(config, emit, watch)

    def run(self) -> None:
        """Run the whole study.

        Raises:
            BenchError: when no candidate works, or the inputs cannot be made.
            Cancelled: when it was cancelled; no process is left.
        """
        bench = self._bench
        bench.emit(Started(environment=environment()))
        try:
            self._measure()
            if bench.config.energy:
                bench.add(energy=energy_of(bench))
            self._finish()
        finally:
            for entry in bench.entries:
                entry.end()

    def _measure(self) -> None:
        if self._bench.config.mode == "tokens":
            self._measure_tokens()
        else:
            self._measure_inferences()

    def _measure_tokens(self) -> None:
        TokenPreparation(self._bench).run()
        self._warm_up()
        TokenRounds(self._bench).run()

    def _measure_inferences(self) -> None:
        bench = self._bench
        with tempfile.TemporaryDirectory(prefix="edgewright-bench-") as folder:
            preparation = Preparation(bench, folder)
            preparation.run()
            if bench.config.mode == "throughput":
                mode: Mode = Throughput(bench, preparation)
        if bench.config.mode == "latency":
            mode = Rounds(bench)
        elif bench.config.mode == "open-loop":
            mode = RateSearch(bench)
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
                warm_up = entry.call("cannot run", timeout, WarmUp, do="warm", seconds=seconds)
                entry.facts = replace(entry.facts, warm_up=warm_up)

    def _finish(self) -> None:
        bench = self._bench
        for entry in bench.alive:
            with bench.dropping(entry):
                entry.learn(entry.call("crashed", 30.0, PeakMemory, do="memory"))
                if bench.config.operators and not entry.twin and not entry.hidden:
                    self._operators(entry)
                entry.state = "measured"
        for entry in bench.alive:
            if entry.process is not None:
                entry.process.close()
                entry.process = None
        if bench.config.mode == "tokens" and bench.config.tokens.contexts:
            bench.add(contexts=sweep(bench))  # once the others have left the memory
        bench.emit(self._result())

    def _operators(self, entry: BenchCandidate) -> None:
        config = self._bench.config
        self._bench.progress("operators", 0, 0, f"Timing the operators of {entry.id}")
        timeout = config.load_timeout + config.run_timeout
        runs = config.operators
        try:
            answer = entry.call("cannot run", timeout, OperatorBlock, do="operators", runs=runs)
        except CandidateError as failure:
            if failure.state != "cannot run":
                raise
            # Its latencies stand; only the operators are missing.
            entry.facts = replace(entry.facts, operators_reason=failure.reason)
            return
        kernels = tuple(known(Kernel, each) for each in answer.operators)
        figures = answer.plain_us, answer.profiled_us
        self._bench.emit(OperatorsMeasured(entry.id, kernels, *figures))

    def _result(self) -> BenchResult:
        bench = self._bench
        assert bench.reference is not None
        twin = next((entry.id for entry in bench.entries if entry.twin), None)
        return replace(
            bench.result,
            reference=bench.reference.id,
            twin=twin,
            feeds=tuple(bench.inputs),
            candidates=tuple(entry.result() for entry in bench.entries if not entry.hidden),
            environment_end=at_the_end(),
        )


_STEP = 0.05


def energy_of(bench: Bench) -> EnergyMeasurement | NoEnergyMeasurement:
    """Return the energy of each candidate that still works; see ``energy.measure``."""
    config = bench.config
    entries = [each for each in bench.alive if not each.twin and not each.hidden]
    loads = [_load(bench, each) for each in entries if each.facts.warm_up]
    bench.progress("energy", 0, 0, "Measuring energy")
    sensors = energy.sensors(meter=config.meter)
    found = energy.measure(loads, sensors, config.energy, lambda seconds: _rest(bench, seconds))
    for entry in entries:
        if not entry.alive:
            found.runs.pop(entry.id, None)
    return found


def _load(bench: Bench, entry: BenchCandidate) -> energy.Load:
    median = float(entry.median_ns)

    def run(runs: int) -> None:
        if not entry.alive:
            return
        timeout = bench.config.run_timeout + 5 * runs * median / 1e9
        with bench.dropping(entry):
            entry.call("cannot run", timeout, Block, do="time", runs=runs, settle=0)

    return energy.Load(entry.id, median, run)


def _rest(bench: Bench, seconds: float) -> None:
    """Wait, unless the bench is cancelled."""
    end = time.monotonic() + seconds
    while True:
        bench.watch.check()
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(_STEP, left))
