"""The study: load, compare, warm up, measure in rounds, and say what was found."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import Any, Callable

from . import PROTOCOL, feeds, plan
from .arrays import load_arrays, save_arrays
from .compare import compare
from .config import Candidate, Config
from .environment import environment
from .errors import BenchError, CandidateError
from .process import CancelWatch, CandidateProcess
from .sensors import Reading, Sensors, spoils

Emit = Callable[["dict[str, Any]"], None]

TWIN = "#twin"
"""Suffix of the reference's second process."""

_AS_IN_THE_MODEL = "as in the model"


class Entry:
    """A candidate during the study: its process, its state, what is known of it."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.id = candidate.id
        self.process: CandidateProcess | None = None
        self.state = "waiting"
        self.reason = ""
        self.facts: dict[str, Any] = {}

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self.process is not None

    @property
    def reduced(self) -> bool:
        """Whether it says that it computes in less than the model's own precision."""
        precision = str(self.facts.get("describe", {}).get("precision") or _AS_IN_THE_MODEL)
        return precision not in (_AS_IN_THE_MODEL, "fp32", "fp64")

    def ask(self, state: str, timeout: float, **request: Any) -> dict[str, Any]:
        """Ask its process; see ``CandidateProcess.ask``."""
        assert self.process is not None
        return self.process.ask(state, timeout, **request)

    def drop(self, failure: CandidateError) -> None:
        """Take it out of the study, with the reason."""
        self.state, self.reason = failure.state, failure.reason
        if self.process is not None:
            self.process.kill()
            self.process = None

    def to_json(self) -> dict[str, Any]:
        """Its part of the result."""
        return dict(self.facts, id=self.id, state=self.state, reason=self.reason)


class Study:
    """Runs one configuration and emits the events (see the package's docstring)."""

    def __init__(self, config: Config, emit: Emit, watch: CancelWatch) -> None:
        self._config = config
        self._emit = emit
        self._watch = watch
        self._entries = [Entry(candidate) for candidate in config.candidates]
        self._reference: Entry | None = None
        self._inputs: list[feeds.Input] = []
        self._outputs: dict[str, str] = {}
        self._spoiled: dict[str, int] = {}
        self._rounds = 0

    def run(self) -> None:
        """Do all of it.

        Raises:
            BenchError: when no candidate works, or the inputs cannot be made.
            Cancelled: when it was cancelled; no process is left.
        """
        self._emit({"event": "started", "protocol": PROTOCOL, "environment": environment()})
        try:
            with tempfile.TemporaryDirectory(prefix="edgewright-bench-") as folder:
                self._prepare(folder)
            self._warm_up()
            self._measure()
            self._finish()
        finally:
            for entry in self._entries:
                if entry.process is not None:
                    entry.process.kill()

    # Load and compare

    def _prepare(self, folder: str) -> None:
        for number, entry in enumerate(self._entries):
            self._progress("load", number, len(self._entries), f"Loading {entry.id}")
            with self._dropping(entry):
                self._load(entry)
                self._check(entry, folder, number)
        if self._reference is None:
            first = self._entries[0]
            raise BenchError(f"None of the candidates works; {first.id}: {first.reason}")
        if self._config.twin:
            twin = Entry(self._reference.candidate)
            twin.id += TWIN
            self._entries.append(twin)
            with self._dropping(twin):
                self._load(twin)
                self._check(twin, folder, len(self._entries))

    def _load(self, entry: Entry) -> None:
        candidate, config = entry.candidate, self._config
        entry.process = CandidateProcess(candidate, self._watch, config.memory_limit_mb)
        answer = entry.ask(
            "cannot load",
            config.load_timeout,
            do="load",
            model=candidate.model,
            runner=candidate.runner,
            options=dict(candidate.options, **self._sizes()),
        )
        entry.facts.update(answer)

    def _sizes(self) -> dict[str, Any]:
        """The inputs' shapes, once they are known: some runtimes must fix them when they load."""
        given = {name: list(shape) for name, shape in self._config.feeds.shapes.items()}
        return {"shapes": dict(given, **{each.name: list(each.shape) for each in self._inputs})}

    def _check(self, entry: Entry, folder: str, number: int) -> None:
        """Run the first inference and compare; the first that works becomes the reference."""
        given = os.path.join(folder, "feeds.npz")
        outputs = os.path.join(folder, f"{number}.npz")
        if self._reference is None:
            arrays, self._inputs = feeds.build(entry.facts["inputs"], self._config.feeds)
            save_arrays(given, arrays)
        try:
            timeout = self._config.run_timeout
            answer = entry.ask("cannot run", timeout, do="check", feeds=given, outputs=outputs)
        except CandidateError as failure:
            raise CandidateError(failure.state, failure.reason + self._assumptions()) from failure
        entry.facts.update(answer)
        self._compare(entry, outputs)
        entry.state = "ready"
        self._tell(entry)

    def _compare(self, entry: Entry, outputs: str) -> None:
        """Hold its outputs against the reference's, and against those of the same model."""
        candidate = entry.candidate
        if self._reference is None:
            self._reference = entry
            entry.facts.update(max_error=0.0, relative_error=0.0)
        else:
            expected, actual = load_arrays(self._outputs[self._reference.id]), load_arrays(outputs)
            entry.facts.update(vars(compare(expected, actual, candidate.tolerance)))
            if candidate.like in self._outputs:
                same = load_arrays(self._outputs[candidate.like])
                found = compare(same, actual, candidate.like_tolerance[entry.reduced])
                entry.facts["same_model_error"] = found.relative_error
        if entry is self._reference or entry.id in {one.like for one in self._config.candidates}:
            self._outputs[entry.id] = outputs
        else:
            os.unlink(outputs)

    def _assumptions(self) -> str:
        """A hint where a failure may come from sizes that nobody gave."""
        assumed = [each for each in self._inputs if any(axis > 0 for axis in each.assumed)]
        shapes = [each.name + "=" + "x".join(map(str, each.shape)) for each in assumed]
        return f" The shape {', '.join(shapes)} was assumed: give the real one." if shapes else ""

    # Warm up and measure

    def _warm_up(self) -> None:
        alive = [entry for entry in self._entries if entry.alive]
        seconds = self._config.warm_up_seconds
        for number, entry in enumerate(alive):
            self._progress("warm-up", number, len(alive), f"Warming up {entry.id}")
            with self._dropping(entry):
                timeout = seconds + self._config.run_timeout
                entry.facts["warm_up"] = entry.ask(
                    "cannot run", timeout, do="warm", seconds=seconds
                )

    def _measure(self) -> None:
        alive = {entry.id: entry for entry in self._entries if entry.alive}
        medians = {each: entry.facts["warm_up"]["median_ns"] for each, entry in alive.items()}
        planned = plan.make_plan(medians, self._config.rounds, self._config.seconds)
        for entry in alive.values():
            entry.facts["block"] = vars(planned.blocks[entry.id])
        sensors = Sensors()
        rounds = zip(range(1, planned.rounds + 1), plan.orders(list(alive), self._config.seed))
        for number, order in rounds:
            self._round(number, planned, [alive[each] for each in order], sensors)
            if not any(entry.alive for entry in alive.values()):
                break

    def _round(self, number: int, planned: plan.Plan, order: list[Entry], sensors: Sensors) -> None:
        """One block of each candidate that is still there."""
        readings = [sensors.read()]
        blocks: dict[str, dict[str, Any]] = {}
        for entry in order:
            if not entry.alive:
                continue
            size = planned.blocks[entry.id]
            with self._dropping(entry):
                expected = entry.facts["warm_up"]["median_ns"] * (size.runs + size.settle) / 1e9
                timeout = self._config.run_timeout + 5 * expected
                blocks[entry.id] = entry.ask(
                    "cannot run", timeout, do="time", runs=size.runs, settle=size.settle
                )
            readings.append(sensors.read())
        reasons = spoils(readings)
        for reason in reasons:
            self._spoiled[reason] = self._spoiled.get(reason, 0) + 1
        self._rounds = number
        self._emit(_round_event(number, planned.rounds, blocks, readings, reasons))

    # The end

    def _finish(self) -> None:
        for entry in self._entries:
            if not entry.alive:
                continue
            with self._dropping(entry):
                entry.facts.update(entry.ask("crashed", 30.0, do="memory"))
                if self._config.operators and not entry.id.endswith(TWIN):
                    self._operators(entry)
                entry.state = "measured"
        for entry in self._entries:
            if entry.process is not None:
                entry.process.close()
                entry.process = None
        self._emit(self._result())

    def _operators(self, entry: Entry) -> None:
        self._progress("operators", 0, 0, f"Timing the operators of {entry.id}")
        timeout = self._config.load_timeout + self._config.run_timeout
        runs = self._config.operators
        try:
            answer = entry.ask("cannot run", timeout, do="operators", runs=runs)
        except CandidateError as failure:
            if failure.state != "cannot run":
                raise
            # Its latencies stand; only the operators are missing.
            entry.facts["operators_reason"] = failure.reason
            return
        self._emit(dict(answer, event="operators", id=entry.id))

    def _result(self) -> dict[str, Any]:
        assert self._reference is not None
        twin = self._reference.id + TWIN
        return {
            "event": "result",
            "reference": self._reference.id,
            "twin": twin if any(entry.id == twin for entry in self._entries) else None,
            "feeds": [each.to_json() for each in self._inputs],
            "candidates": [entry.to_json() for entry in self._entries],
            "rounds": self._rounds,
            "spoiled": self._spoiled,
        }

    # Helpers

    @contextlib.contextmanager
    def _dropping(self, entry: Entry) -> Any:
        """Turn a candidate's failure into its state; the others go on."""
        try:
            yield
        except CandidateError as failure:
            entry.drop(failure)
            self._tell(entry)

    def _tell(self, entry: Entry) -> None:
        event = {"event": "candidate", "id": entry.id, "state": entry.state}
        self._emit(dict(event, reason=entry.reason))

    def _progress(self, phase: str, done: int, total: int, text: str) -> None:
        self._watch.check()
        self._emit(
            {"event": "progress", "phase": phase, "done": done, "total": total, "text": text}
        )


def _round_event(
    number: int,
    total: int,
    blocks: dict[str, dict[str, Any]],
    readings: list[Reading],
    reasons: list[str],
) -> dict[str, Any]:
    last = readings[-1]
    return {
        "event": "round",
        "round": number,
        "of": total,
        "order": list(blocks),
        "times_ns": {each: block["times_ns"] for each, block in blocks.items()},
        "wall_ns": {each: block["wall_ns"] for each, block in blocks.items()},
        "cpu_ns": {each: block["cpu_ns"] for each, block in blocks.items()},
        "clock_mhz": last.clock_mhz,
        "temperature_c": last.temperature_c,
        "stolen_ticks": last.stolen - readings[0].stolen,
        "spoiled": reasons,
    }
