"""The time of a variant beside its float model: with the threads that a server would take."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from studio.api import Feeds
from studio.api.progress import Silent
from studio.evaluation.comparison import latency
from studio.quantization import variant_timing as timing
from studio.runtime.shared.threads import PARALLEL_ABOVE_S


class Slow:
    """A session that takes its time, less with more threads."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.closed, self.runs = seconds, False, 0

    def run(self, feeds: Feeds, outputs: Any = None) -> dict[str, Any]:
        time.sleep(self.seconds)
        self.runs += 1
        return {}

    def close(self) -> None:
        self.closed = True


class Subject:
    """A model of a given time on one thread, and a variant in half of it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.made: list[tuple[int, Slow]] = []

    def session(self, path: Path | None = None, threads: int = 0) -> Slow:
        session = Slow(self.seconds / threads / (1 if path is None else 2))
        self.made.append((threads, session))
        return session


@pytest.mark.parametrize(
    ("seconds", "threads"), [(PARALLEL_ABOVE_S / 50, 1), (PARALLEL_ABOVE_S * 1.5, 3)]
)
def test_both_models_have_the_threads_of_a_server(
    seconds: float, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "processors", lambda: 3)
    subject = Subject(seconds)
    found = timing.timed(subject, Path("variant"), {}, Silent())  # type: ignore[arg-type]
    assert found.threads == threads
    assert [each for each, _ in subject.made] == [1, threads, threads]
    assert all(session.closed for _, session in subject.made)


def test_named_threads_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject(0.0001)
    found = timing.timed(subject, Path("variant"), {}, Silent(), 2)  # type: ignore[arg-type]
    assert (found.threads, [each for each, _ in subject.made]) == (2, [2, 2])


def test_who_waits_is_not_asked_for_minutes() -> None:
    """The processor's time says nothing of a model that computes elsewhere."""
    sessions = Slow(0.02), Slow(0.01)
    latency(*sessions, {}, Silent(), 2)
    assert sum(session.runs for session in sessions) < 150
