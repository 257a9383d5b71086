"""The background thread: calls in their order, and others while there are none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from studio.workspace.background import Background

WAIT_S = 10.0


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background(lambda done: done())
    yield made
    made.close()


def test_calls_come_before_those_that_wait_for_an_idle_thread(background: Background) -> None:
    order: list[str] = []
    begun, may_end, done = threading.Event(), threading.Event(), threading.Event()

    def note(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    def hold() -> None:
        begun.set()
        may_end.wait(WAIT_S)

    background.run(hold, lambda _: None)
    assert begun.wait(WAIT_S)
    background.run_when_idle([note("first spare"), note("second spare"), done.set])
    background.run(note("call"), lambda _: None)
    may_end.set()
    assert done.wait(WAIT_S)
    assert order == ["call", "first spare", "second spare"]


def test_a_spare_call_that_fails_does_not_end_the_thread(background: Background) -> None:
    done = threading.Event()
    background.run_when_idle([lambda: 1 // 0, done.set])
    assert done.wait(WAIT_S)


def test_spare_calls_are_dropped_at_the_end() -> None:
    background = Background(lambda done: done())
    begun, may_end = threading.Event(), threading.Event()
    late: list[bool] = []

    def hold() -> None:
        begun.set()
        may_end.wait(WAIT_S)

    background.run_when_idle([hold, lambda: late.append(True)])
    assert begun.wait(WAIT_S)
    background._calls.put(None)  # the end, as `close` asks for it before it waits
    may_end.set()
    background.close()
    assert late == []
