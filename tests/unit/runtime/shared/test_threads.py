"""One rule for the threads of an inference, for serving, profiles and quantizing."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import studio.runtime
from studio.runtime.serve.engine.served_model import plan_execution
from studio.runtime.shared.threads import (
    MOST_FAILURES,
    PARALLEL_ABOVE_S,
    ThreadFailure,
    guarded_thread,
    report_failures,
    threads_for,
    yield_to_requests,
)


@pytest.mark.parametrize(
    ("seconds", "threads"),
    [(None, 1), (0.001, 1), (PARALLEL_ABOVE_S, 1), (PARALLEL_ABOVE_S * 1.01, 4), (2.0, 4)],
)
def test_a_slow_model_gets_all_cores(seconds: float | None, threads: int) -> None:
    assert threads_for(seconds, 4) == threads
    assert plan_execution(seconds, 4).threads == threads, "the server has no rule of its own"


def test_a_named_number_is_kept() -> None:
    assert plan_execution(2.0, 4, threads=3).threads == 3


def test_a_thread_that_no_client_awaits_yields_alone() -> None:
    before, seen = os.getpriority(os.PRIO_PROCESS, 0), list[int]()

    def work() -> None:
        yield_to_requests(min(before + 3, 19))
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [min(before + 3, 19)]
    assert os.getpriority(os.PRIO_PROCESS, threading.main_thread().native_id or 0) == before


@pytest.fixture
def reports() -> Iterator[list[ThreadFailure]]:
    found: list[ThreadFailure] = []
    report_failures(found.append)
    yield found
    report_failures()


@pytest.mark.parametrize("error", [ValueError("x"), RecursionError(), SystemExit(), MemoryError()])
def test_a_thread_goes_on_after_a_failure(
    error: BaseException, reports: list[ThreadFailure]
) -> None:
    turns, failed = [error, None], list[BaseException]()

    def work() -> None:
        turn = turns.pop(0)
        if turn is not None:
            raise turn

    thread = guarded_thread("worker", work, failed.append)
    thread.start()
    thread.join(20)
    assert not turns, "it began again"
    assert failed == [error]
    assert [(one.thread, one.fatal) for one in reports] == [("worker", False)]


@pytest.mark.parametrize("lasts", [True, False])
def test_a_thread_that_fails_again_and_again_ends(
    lasts: bool, reports: list[ThreadFailure]
) -> None:
    failed: list[BaseException] = []
    thread = guarded_thread("worker", lambda: 1 // 0, failed.append, lasts=lasts)
    thread.start()
    thread.join(20)
    assert len(failed) == len(reports) == (MOST_FAILURES if lasts else 1)
    assert reports[-1].fatal is lasts, "nobody relies on a thread that need not last"
    assert "ZeroDivisionError" in reports[-1].reason


RUNTIME = Path(studio.runtime.__file__).parent
NAMES = re.compile(r'guarded_thread\(\s*(?:name|_THREAD|"([a-z ]+)")')


def test_every_thread_of_the_runtime_is_guarded_and_described() -> None:
    described = (RUNTIME.parents[1] / "docs/runtime.md").read_text()
    for path in RUNTIME.rglob("*.py"):
        text = path.read_text()
        if path.name != "threads.py":
            assert "threading.Thread(" not in text, path
        for name in NAMES.findall(text):
            assert f"| `{name.strip()}" in described, f"{name} is not in docs/runtime.md"
