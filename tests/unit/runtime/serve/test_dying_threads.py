"""Threads of a server that are killed from within: each begins again, and its work is answered."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.apps.sinks.delivery import SinkWorkers
from studio.runtime.serve.engine.executor import Executor, InlineGuard
from studio.runtime.serve.log import Log
from studio.runtime.serve.statistics import board_state
from studio.runtime.serve.statistics.board_state import BoardMonitor
from studio.runtime.shared.threads import ThreadFailure, report_failures
from tests.unit.runtime.serve.rig import wait_until


@pytest.fixture
def reports() -> Iterator[list[ThreadFailure]]:
    found: list[ThreadFailure] = []
    report_failures(found.append)
    yield found
    report_failures()


def once(work: Callable[..., Any]) -> Callable[..., Any]:
    """Work that kills its thread the first time."""
    turns = iter([True])

    def deadly(*given: Any, **named: Any) -> Any:
        if next(turns, False):
            raise SystemExit("killed")
        return work(*given, **named)

    return deadly


class Work:
    """Work for the executor that is killed."""

    def __init__(self, done: list[Work]) -> None:
        self._done = done

    def run(self) -> None:
        raise SystemExit("killed")

    def finish(self) -> None:
        self._done.append(self)

    def cancel_if_abandoned(self) -> None:
        pass


def test_work_that_kills_its_thread_is_finished(reports: list[ThreadFailure]) -> None:
    asyncio.run(run_deadly_work())
    assert [one.thread for one in reports] == ["inference"] * 2


async def run_deadly_work() -> None:
    """Two works, one after the other, on one thread."""
    done: list[Work] = []
    executor = Executor(asyncio.get_running_loop(), 1, 8)
    for number in (1, 2):
        executor.submit(Work(done))
        for _ in range(2000):
            if len(done) == number:
                break
            await asyncio.sleep(0.01)
    assert len(done) == 2, "one thread has done both"
    assert executor.waiting == 0
    executor.close()


def test_a_log_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reports: list[ThreadFailure]
) -> None:
    path = tmp_path / "log"
    log = Log(os.open(path, os.O_WRONLY | os.O_CREAT), requests_per_s=0)
    monkeypatch.setattr(log, "_rotate", once(lambda: None))
    log.event("lost")
    log.event("written")
    log.close()
    assert "written" in path.read_text()
    assert [one.thread for one in reports] == ["log"]


def test_a_monitor_of_the_board_goes_on(
    monkeypatch: pytest.MonkeyPatch, reports: list[ThreadFailure]
) -> None:
    monkeypatch.setattr(board_state, "EVERY_S", 0.01)
    monitor = BoardMonitor()
    monkeypatch.setattr(monitor, "sample", once(monitor.sample))
    monitor.begin()
    wait_until(lambda: monitor.state().most_mhz is not None or len(monitor._looks) > 1, "samples")
    monitor.end()
    assert [one.thread for one in reports] == ["machine"]


def test_a_guard_of_inline_runs_goes_on(
    monkeypatch: pytest.MonkeyPatch, reports: list[ThreadFailure]
) -> None:
    class Options:
        terminate = False

    guard = InlineGuard(0.05)
    monkeypatch.setattr(guard, "_watch", once(guard._watch))
    options = guard.begin(Options)
    wait_until(lambda: bool(options.terminate), "the run is ended")
    assert [one.thread for one in reports] == ["inline guard"]


def test_the_care_of_an_outbox_goes_on(
    monkeypatch: pytest.MonkeyPatch, reports: list[ThreadFailure]
) -> None:
    class Outbox:
        cared = 0

        def care(self) -> None:
            self.cared += 1

        def wake(self) -> None:
            pass

        close = wake

    outbox = Outbox()
    workers = SinkWorkers((), None, outbox)  # type: ignore[arg-type]
    monkeypatch.setattr(outbox, "care", once(outbox.care))
    workers.start()
    wait_until(lambda: outbox.cared > 0, "care")
    workers.stop()
    assert [one.thread for one in reports] == ["outbox"]
