"""One rule for the threads of an inference, for serving, profiles and quantizing."""

from __future__ import annotations

import os
import threading

import pytest

from studio.runtime.serve.engine.served_model import plan_execution
from studio.runtime.shared.threads import PARALLEL_ABOVE_S, threads_for, yield_to_requests


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
