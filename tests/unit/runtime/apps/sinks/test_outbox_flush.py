"""Events are on the disk before they leave the board, and the engine does not wait for it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.apps.sinks import outbox
from studio.runtime.apps.sinks.outbox import Outbox
from tests.unit.runtime.apps.parts import event
from tests.unit.runtime.apps.sinks.outboxes import make, numbers


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Outbox]:
    found = make(tmp_path)
    yield found
    found.close()


def _raise(error: Exception) -> Any:
    raise error


def test_what_leaves_the_store_has_been_flushed_to_the_disk(
    store: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []

    def sync(path: str) -> int:
        flushed.append(path)
        return 0

    monkeypatch.setattr(outbox, "sync_log", sync)
    store.add([event(0)])
    assert flushed == []
    store.batch("a", 9)
    store.batch("a", 9)
    assert flushed == [store.path]
    store.add([event(1)])
    store.care()
    store.care()
    assert flushed == [store.path] * 2


def test_a_power_cut_loses_no_delivered_event_and_gives_its_id_to_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is what the latest flush has left; all that came later is gone."""
    board, disk = tmp_path / "board", tmp_path / "disk"

    def sync(path: str) -> int:
        shutil.rmtree(disk, ignore_errors=True)
        shutil.copytree(board, disk)
        return 0

    monkeypatch.setattr(outbox, "sync_log", sync)
    before = make(board)
    delivered: dict[str, Any] = {}
    for number in range(30):
        before.add([event(number)])
        if number % 7 == 0:
            batch = before.batch("a", 100)
            delivered.update((one.event.id, one.event.details) for one in batch)
            before.advance("a", batch[-1], len(batch))
    after = Outbox(str(disk), "yard", sinks=("a",))
    for number in range(100, 130):
        after.add([event(number)])
    stored = {one.id: one.details for one in after.newest(1000)}
    assert len(delivered) == 29
    assert {key: stored.get(key) for key in delivered} == delivered
    after.close()
    before.close()


def test_a_batch_waits_for_a_flush_that_has_begun(
    store: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, end = threading.Event(), threading.Event()

    def sync(path: str) -> int:
        begun.set()
        assert end.wait(60)
        return 0

    monkeypatch.setattr(outbox, "sync_log", sync)
    store.add([event(0)])
    care = threading.Thread(target=store.care)
    care.start()
    assert begun.wait(60)
    got: list[int] = []
    sink = threading.Thread(target=lambda: got.extend(one.number for one in store.batch("a", 9)))
    sink.start()
    store.add([event(1)])  # the engine does not wait for the disk
    assert got == []
    end.set()
    care.join(60)
    sink.join(60)
    assert got == [1] or got == [1, 2]


def test_a_flush_that_fails_keeps_events_on_the_board(
    store: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add([event(0)])
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "sync_log", lambda path: _raise(OSError(5, "Input/output error")))
        with pytest.raises(OSError, match="Input/output"):
            store.batch("a", 9)
    assert numbers([one.event for one in store.batch("a", 9)]) == [0]
