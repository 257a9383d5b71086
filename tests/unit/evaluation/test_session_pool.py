"""Samples answered by several sessions at once: their order, what is read ahead, errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy
import pytest

from studio.api import Array, Feeds, Sample, Session
from studio.evaluation.session_pool import SessionPool, abreast, answers


class Doubling:
    """A session that waits for its partner, so that a pass ends only if two run at once."""

    input_names, output_names = ("x",), ("y",)

    def __init__(self, together: threading.Barrier) -> None:
        self._together, self.closed = together, False

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        self._together.wait(20)
        if float(feeds["x"][0]) < 0:
            raise ValueError("a sample that cannot be answered")
        return {"y": feeds["x"] * 2}

    def close(self) -> None:
        self.closed = True


def made(count: int) -> SessionPool:
    together = threading.Barrier(count)
    return SessionPool([Doubling(together) for _ in range(count)])


def samples(numbers: Sequence[float]) -> list[Sample]:
    return [Sample({"x": numpy.array([n], "float32")}, n, str(n)) for n in numbers]


def test_two_at_once_in_the_order_of_the_samples() -> None:
    found = [(s.name, float(y["y"][0])) for s, y in answers(made(2), samples(range(8)))]
    assert found == [(str(n), 2.0 * n) for n in range(8)]


def test_no_more_is_read_ahead_than_there_are_sessions() -> None:
    read: list[str] = []

    def noted() -> Iterator[Sample]:
        for sample in samples(range(10)):
            read.append(sample.name)
            yield sample

    stream = made(2).answers(noted())
    next(stream)
    assert len(read) == 3
    assert len(list(stream)) == 9


def test_the_error_of_a_sample_is_raised_in_its_place() -> None:
    stream = answers(made(2), samples([0, 1, 2, -1, 4, 5]))
    assert [next(stream)[0].name for _ in range(3)] == ["0", "1", "2"]
    with pytest.raises(ValueError, match="cannot be answered"):
        next(stream)


def test_a_large_model_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.evaluation.session_pool.processors", lambda: 3)
    loaded: list[int] = []

    def load(threads: int) -> Session:
        loaded.append(threads)
        return Doubling(threading.Barrier(1))

    small = abreast(load, 10 << 20)
    assert loaded == [1, 1, 1]
    small.close()
    abreast(load, 400 << 20)
    assert loaded[3:] == [0]
