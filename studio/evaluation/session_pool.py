"""Parallel inference of samples, each by a session of one thread, in their order.

A model of small operators gains little from more threads within a run: two of them gave 1.4 times
the speed of one on PP-OCRv5 recognition, two parallel sessions nearly twice.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from studio.api import Array, Feeds, Sample, Session

_MOST = 4
_BYTES = 512 << 20
"""Most bytes of all copies of a model together."""


class SessionPool:
    """Sessions of one model that work on a sample each."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._sessions = tuple(sessions)
        self.input_names = sessions[0].input_names
        self.output_names = sessions[0].output_names

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        return self._sessions[0].run(feeds, outputs)

    def answers(self, samples: Iterable[Sample]) -> Iterator[tuple[Sample, dict[str, Array]]]:
        """Yield each sample with its outputs; read ahead at most one sample for each session."""
        idle: SimpleQueue[Session] = SimpleQueue()
        for session in self._sessions:
            idle.put(session)

        def answer(sample: Sample) -> dict[str, Array]:
            session = idle.get()
            try:
                return session.run(sample.feeds)
            finally:
                idle.put(session)

        waiting: deque[tuple[Sample, Future[dict[str, Array]]]] = deque()
        with ThreadPoolExecutor(len(self._sessions)) as pool:
            for sample in samples:
                waiting.append((sample, pool.submit(answer, sample)))
                # Bounds the samples in memory; the results keep the samples' order.
                if len(waiting) > len(self._sessions):
                    done, outputs = waiting.popleft()
                    yield done, outputs.result()
            for done, outputs in waiting:
                yield done, outputs.result()

    def close(self) -> None:
        for session in self._sessions:
            session.close()


def abreast(load: Callable[[int], Session], nbytes: int) -> Session:
    """Return a session of one thread per processor, or one of all threads for a large model.

    Args:
        load: Creates a session with a number of threads; 0 is the runtime's default.
        nbytes: Size of the model.
    """
    count = min(processors(), _MOST, _BYTES // max(nbytes, 1))
    return SessionPool([load(1) for _ in range(count)]) if count > 1 else load(0)


def answers(
    session: Session, samples: Iterable[Sample]
) -> Iterator[tuple[Sample, Mapping[str, Array]]]:
    """Yield each sample with its outputs, in the order of the samples."""
    if isinstance(session, SessionPool):
        return session.answers(samples)
    return ((sample, session.run(sample.feeds)) for sample in samples)


def processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
