"""Shared state of the parts of a study: the configuration, the entries, and the listener."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any, Callable, Iterator

from .config import Config
from .entry import BenchCandidate
from .errors import CandidateError
from .events import BenchProgress, BenchResult, CandidateState, DeclaredInput, Event
from .facts import InputFeed
from .process import CancelWatch

Emit = Callable[[Event], None]


class Bench:
    """One run of the bench.

    Attributes:
        entries: The candidates, the reference's twin, and further processes of them.
        reference: The first candidate that works; None until it is found.
        inputs: How the inputs are fed, known from the reference on.
        declared: The inputs as the reference declares them.
        result: The ``result`` event so far.
    """

    def __init__(self, config: Config, emit: Emit, watch: CancelWatch) -> None:
        self.config = config
        self.emit = emit
        self.watch = watch
        self.entries = [BenchCandidate(candidate) for candidate in config.candidates]
        self.reference: BenchCandidate | None = None
        self.inputs: list[InputFeed] = []
        self.declared: list[DeclaredInput] = []
        self.result = BenchResult(config.mode)

    @property
    def alive(self) -> list[BenchCandidate]:
        """Entries that still answer requests."""
        return [entry for entry in self.entries if entry.alive]

    @contextlib.contextmanager
    def dropping(self, entry: BenchCandidate) -> Iterator[None]:
        """Turn a candidate's failure into its state; the others continue."""
        try:
            yield
        except CandidateError as failure:
            entry.drop(failure)
            self.report(entry)

    def report(self, entry: BenchCandidate) -> None:
        """Report the state of a candidate."""
        if not entry.hidden:
            self.emit(CandidateState(entry.id, entry.state, entry.reason))

    def progress(self, phase: str, done: float, total: float, text: str) -> None:
        """Report the progress of the bench; raise Cancelled if it was cancelled."""
        self.watch.check()
        self.emit(BenchProgress(phase, done, total, text))

    def add(self, **values: Any) -> None:
        """Add to the result."""
        self.result = replace(self.result, **values)
