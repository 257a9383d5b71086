"""Preparation of a study: candidates are loaded, run once, and compared with the reference."""

from __future__ import annotations

import os
from dataclasses import replace
from statistics import median
from typing import Any

from ..shared.threads import threads_for, usable_cores
from . import feeds
from .answers import FirstInference, Loaded
from .arrays import load_arrays, save_arrays
from .bench import Bench
from .config import Candidate
from .entry import TWIN, BenchCandidate
from .errors import BenchError, CandidateError
from .events import DeclaredInput, RunnerDescription
from .facts import InputFeed, known
from .measures.timing import Block
from .process import CandidateProcess
from .statistics.compare import Difference, compare, repeated

_TIMED = 3
"""Inferences from which the number of threads follows where nobody names one."""


class Preparation:
    """Loading and comparison of all entries of a bench."""

    def __init__(self, bench: Bench, folder: str) -> None:
        """Prepare one.

        Args:
            folder: For the arrays, gone when the study begins to measure.
        """
        self._bench = bench
        self._folder = folder
        self._feeds = os.path.join(folder, "feeds.npz")
        self._outputs: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._threads = 0

    def run(self) -> None:
        """Load, run and compare.

        Raises:
            BenchError: when no candidate works, or the inputs cannot be made.
        """
        bench = self._bench
        for number, entry in enumerate(list(bench.entries)):
            bench.progress("load", number, len(bench.entries), f"Loading {entry.id}")
            with bench.dropping(entry):
                self._load(entry)
                self._check(entry)
                self._settle_threads(entry)
        if bench.reference is None:
            first = bench.entries[0]
            raise BenchError(f"None of the candidates works; {first.id}: {first.reason}")
        if bench.config.twin and len(bench.alive) > 1:  # else nothing is compared
            twin = BenchCandidate(bench.reference.candidate, bench.reference.id + TWIN)
            bench.entries.append(twin)
            with bench.dropping(twin):
                self._load(twin)
                self._check(twin)

    def batched(self, entry: BenchCandidate, batch: int) -> BenchCandidate:
        """Return the same candidate in a process of its own with a batch of samples.

        It is compared with the candidate's outputs of one sample. When that fails, the entry
        has the reason.
        """
        made = BenchCandidate(entry.candidate, f"{entry.id}#batch{batch}", hidden=True)
        self._bench.entries.append(made)
        with self._bench.dropping(made):
            try:
                inputs, axes = feeds.batched(self._bench.declared, self._bench.inputs, batch)
            except BenchError as error:
                raise CandidateError("cannot run", str(error)) from error
            self._load(made, inputs)
            given, outputs = self._path(f"feeds{batch}"), self._path(made.id)
            single = load_arrays(self._feeds)
            arrays = {name: feeds.tiled(single[name], axes[name], batch) for name in axes}
            save_arrays(given, arrays)
            self._first(made, given, outputs)
            expected, actual = load_arrays(self._outputs[entry.id]), load_arrays(outputs)
            tolerance = entry.candidate.like_tolerance[entry.reduced]
            compare(repeated(expected, actual, batch), actual, tolerance)
            made.state = "ready"
        return made

    def _load(self, entry: BenchCandidate, inputs: list[InputFeed] | None = None) -> None:
        candidate, config = entry.candidate, self._bench.config
        entry.process = CandidateProcess(candidate, self._bench.watch, config.memory_limit_mb)
        answer = entry.call(
            "cannot load",
            config.load_timeout,
            Loaded,
            do="load",
            model=candidate.model,
            runner=candidate.runner,
            options=dict(self._options(candidate), shapes=self._sizes(inputs)),
        )
        entry.facts = replace(
            entry.facts,
            inputs=[known(DeclaredInput, each) for each in answer.inputs],
            describe=known(RunnerDescription, answer.describe),
            import_ms=answer.import_ms,
            load_ms=answer.load_ms,
            memory_base_mb=answer.memory_base_mb,
        )

    def _options(self, candidate: Candidate) -> dict[str, Any]:
        """Return its own options, with the bench's number of threads if none is set."""
        return dict(
            candidate.options, **({"threads": self._threads or 1} if _open(candidate) else {})
        )

    def _settle_threads(self, entry: BenchCandidate) -> None:
        """Let the first candidate whose threads are open decide for all of these.

        The rule is the server's, so that a profile measures what will be served; one number for
        all, so that the comparison is fair.
        """
        if self._threads or not _open(entry.candidate):
            return
        timeout = self._bench.config.run_timeout
        block = entry.call("cannot run", timeout, Block, do="time", runs=_TIMED, settle=1)
        self._threads = threads_for(median(block.times_ns) / 1e9, usable_cores())
        if self._threads > 1:
            entry.end()
            self._load(entry)
            self._first(entry, self._feeds, self._path("again"))

    def _sizes(self, inputs: list[InputFeed] | None) -> dict[str, Any]:
        """Return the inputs' shapes, once known: some runtimes must fix them when they load."""
        given = {name: list(shape) for name, shape in self._bench.config.feeds.shapes.items()}
        known = self._bench.inputs if inputs is None else inputs
        return dict(given, **{each.name: list(each.shape) for each in known})

    def _check(self, entry: BenchCandidate) -> None:
        """Run the first inference and compare; the first that works becomes the reference."""
        bench = self._bench
        outputs = self._path(entry.id)
        if bench.reference is None:
            bench.declared = entry.facts.inputs or []
            self._find_sizes(entry, outputs)
        else:
            self._first(entry, self._feeds, outputs)
        self._compare(entry, outputs)
        entry.state = "ready"
        bench.report(entry)

    def _find_sizes(self, entry: BenchCandidate, outputs: str) -> None:
        """Run it with the inputs that are given, or with the first sizes that it accepts."""
        bench = self._bench
        failed: CandidateError | None = None
        for length in feeds.LENGTHS:
            before = bench.inputs
            arrays, bench.inputs = feeds.build(bench.declared, bench.config.feeds, length)
            if failed is not None and bench.inputs == before:
                break  # nothing was assumed that could be another size
            save_arrays(self._feeds, arrays)
            try:
                self._first(entry, self._feeds, outputs)
                return
            except CandidateError as failure:
                failed = failed or failure
                if failure.state != "cannot run":
                    raise
        assert failed is not None
        bench.inputs = []
        raise failed

    def _first(self, entry: BenchCandidate, given: str, outputs: str) -> None:
        try:
            timeout = self._bench.config.run_timeout
            request = {"feeds": given, "outputs": outputs}
            answer = entry.call("cannot run", timeout, FirstInference, do="check", **request)
        except CandidateError as failure:
            raise CandidateError(failure.state, failure.reason + self._assumptions()) from failure
        entry.learn(answer)

    def _compare(self, entry: BenchCandidate, outputs: str) -> None:
        """Compare its outputs with the reference's, and with those of the same model."""
        bench, candidate = self._bench, entry.candidate
        if bench.reference is None:
            bench.reference = entry
            entry.learn(Difference(0.0, 0.0))
        else:
            expected, actual = load_arrays(self._outputs[bench.reference.id]), load_arrays(outputs)
            entry.learn(compare(expected, actual, candidate.tolerance))
            if candidate.like in self._outputs:
                same = load_arrays(self._outputs[candidate.like])
                found = compare(same, actual, candidate.like_tolerance[entry.reduced])
                entry.facts = replace(entry.facts, same_model_error=found.relative_error)
        self._outputs[entry.id] = outputs
        if not self._is_compared(entry):
            os.unlink(outputs)

    def _is_compared(self, entry: BenchCandidate) -> bool:
        """Return whether its outputs will be compared with others'."""
        config = self._bench.config
        likes = {one.like for one in config.candidates}
        return entry is self._bench.reference or entry.id in likes or config.batches != [1]

    def _assumptions(self) -> str:
        """Return a hint where a failure may come from sizes that were assumed."""
        inputs = self._bench.inputs
        assumed = [each for each in inputs if any(axis > 0 for axis in each.assumed)]
        shapes = [each.name + "=" + "x".join(map(str, each.shape)) for each in assumed]
        return f" The shape {', '.join(shapes)} was assumed: give the real one." if shapes else ""

    def _path(self, name: str) -> str:
        """Return a numbered file for arrays: names of candidates may be no valid file names."""
        number = self._numbers.setdefault(name, len(self._numbers))
        return os.path.join(self._folder, f"{number}.npz")


def _open(candidate: Candidate) -> bool:
    """Return whether the caller leaves its number of threads to the bench."""
    return candidate.options.get("threads") == 0
