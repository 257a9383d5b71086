"""The outbox keeps events until each sink has them, through kills, full disks and damage."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.runtime.apps.document import OutboxSettings
from studio.runtime.apps.items import Event, FrameStamp
from studio.runtime.apps.sinks import database, outbox
from studio.runtime.apps.sinks.outbox import DAMAGED, FILE, Outbox
from tests.rigs.disks import fill, small_disk
from tests.unit.runtime.apps.parts import event


class Clock:
    """Time that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def make(
    folder: Path, most: int = 100_000, days: float = 7.0, sinks: Any = ("a",), **more: Any
) -> Outbox:
    return Outbox(str(folder), "yard", OutboxSettings(most, days), sinks, **more)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Outbox]:
    found = make(tmp_path)
    yield found
    found.close()


def numbers(events: list[Event]) -> list[int]:
    return [one.details["n"] for one in events]


def test_events_get_ids_that_name_app_and_store_and_are_never_given_twice(tmp_path: Path) -> None:
    first = make(tmp_path)
    ids = [one.id for one in first.add([event(1), event(2)])]
    first.close()
    second = make(tmp_path)
    ids += [one.id for one in second.add([event(3)])]
    second.close()
    store = ids[0].split("-")[1]
    assert re.fullmatch("[0-9a-f]{6}", store)
    assert ids == [f"yard-{store}-{number}" for number in (1, 2, 3)]


def test_ids_go_on_after_all_events_have_expired(tmp_path: Path) -> None:
    clock = Clock()
    store = make(tmp_path, sinks=(), clock=clock)
    store.add([event(number) for number in range(5)])
    clock.now += 100
    store.care()
    assert store.newest(10) == []
    store.close()
    again = make(tmp_path, sinks=())
    assert again.add([event()])[0].id.endswith("-6")
    again.close()


def test_an_event_is_read_as_it_was_stored(store: Outbox) -> None:
    (stored,) = store.add([event(7, text="Tür 3", box=[1, 2.5])])
    (read,) = store.newest(1)
    assert read.to_json() == stored.to_json()
    assert read.to_json()["text"] == "Tür 3"


def test_pages_read_the_newest_events_and_those_after_one(store: Outbox) -> None:
    ids = [one.id for one in store.add([event(number) for number in range(10)])]
    assert numbers(store.newest(3)) == [7, 8, 9]
    assert numbers(store.after(ids[3], 2)) == [4, 5]
    assert numbers(store.after("other-abcdef-5", 2)) == [0, 1]
    assert store.after(ids[-1], 5) == []


def test_each_sink_has_a_cursor_that_outlives_the_process(tmp_path: Path) -> None:
    first = make(tmp_path, sinks=("a", "b"))
    first.add([event(number) for number in range(4)])
    batch = first.batch("a", 3)
    first.advance("a", batch[-1], delivered=3)
    first.close()
    second = make(tmp_path, sinks=("a", "b"))
    assert numbers([one.event for one in second.batch("a", 9)]) == [3]
    assert numbers([one.event for one in second.batch("b", 9)]) == [0, 1, 2, 3]
    assert second.cursor("a").delivered == 3
    assert (second.waiting("a"), second.waiting("b")) == (1, 4)
    second.close()


def test_a_new_sink_begins_with_events_to_come_and_a_removed_one_is_forgotten(
    tmp_path: Path,
) -> None:
    first = make(tmp_path, sinks=("a",))
    first.add([event(0)])
    first.close()
    second = make(tmp_path, sinks=("b",))
    assert second.batch("b", 9) == []
    second.add([event(1)])
    assert numbers([one.event for one in second.batch("b", 9)]) == [1]
    second.close()
    third = make(tmp_path, sinks=("a",))
    assert third.batch("a", 9) == []
    third.close()


def test_the_oldest_events_are_lost_beyond_the_limit_and_every_loss_is_counted(
    tmp_path: Path,
) -> None:
    store = make(tmp_path, most=200)
    total = 1000
    for number in range(total):
        store.add([event(number)])
    left = [one.event for one in store.batch("a", 10_000)]
    notices = [one for one in left if one.kind == "events-lost"]
    kept = [one for one in left if one.kind != "events-lost"]
    assert len(left) <= 201
    assert numbers(kept) == list(range(total - len(kept), total))
    assert sum(one.details["count"] for one in notices) == total - len(kept)
    assert notices[0].details["sinks"] == ["a"]
    store.close()


def test_a_batch_beyond_the_limit_loses_its_own_oldest(tmp_path: Path) -> None:
    store = make(tmp_path, most=10)
    store.add([event(number) for number in range(25)])
    left = [one.event for one in store.batch("a", 100)]
    assert numbers(left[:-1]) == list(range(15, 25))
    assert left[-1].details["count"] == 15
    store.close()


def test_delivered_events_make_room_without_a_notice(tmp_path: Path) -> None:
    store = make(tmp_path, most=50)
    for number in range(200):
        store.add([event(number)])
        store.advance("a", store.batch("a", 9)[-1], delivered=1)
    assert {one.kind for one in store.newest(100)} == {"crossing"}
    assert len(store.newest(100)) <= 50
    store.close()


def test_delivered_events_expire_and_others_do_not(tmp_path: Path) -> None:
    clock = Clock()
    store = make(tmp_path, days=1.0, clock=clock)
    old = event(0)
    fresh = event(1)._replace(stamp=old.stamp._replace(wall=time.time()))
    store.add([old, fresh, event(2)])
    store.advance("a", store.batch("a", 2)[-1])
    clock.now += 100
    store.care()
    assert numbers(store.newest(9)) == [1, 2]  # 0 is delivered and old, 2 is old alone
    store.close()


@pytest.mark.parametrize(
    ("details", "plain"),
    [
        ({"v": np.float32(1.5)}, {"v": 1.5}),
        ({"v": float("nan"), "w": np.inf}, {"v": None, "w": None}),
        ({"v": np.arange(3)}, {"v": [0, 1, 2]}),
        ({1: {"a"}, "p": Path("x")}, {"1": ["a"], "p": "x"}),
        ({"v": "\ud800"}, {"v": "?"}),
        ({"v": 2**80}, {"v": 2**80}),
    ],
)
def test_details_become_plain_data(store: Outbox, details: Any, plain: Any) -> None:
    store.add([event()._replace(details=details)])
    (found,) = store.newest(1)
    assert found.details == plain
    json.dumps(found.to_json(), allow_nan=False)


def test_an_event_that_has_no_plain_form_is_reported_and_does_not_stop_the_others(
    store: Outbox,
) -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    stamp = FrameStamp("door", 1, float("nan"), float("inf"), 0.0)
    store.add([event()._replace(details=loop), Event("odd", "gate", stamp, {}), event(3)])
    assert [one.kind for one in store.newest(9)] == ["events-lost", "odd", "crossing"]


class FailingDatabase(database.EventDatabase):
    """A database whose disk is full while ``full`` is set, or fails with another error."""

    error: sqlite3.Error | None = None

    def insert(self, events: Any, most: int) -> Any:
        if self.error is not None:
            raise self.error
        return super().insert(events, most)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> type[FailingDatabase]:
    monkeypatch.setattr(outbox, "EventDatabase", FailingDatabase)
    monkeypatch.setattr(FailingDatabase, "error", None)
    return FailingDatabase


FULL = sqlite3.OperationalError("database or disk is full")


def test_events_wait_in_memory_while_the_disk_is_full(
    tmp_path: Path, failing: type[FailingDatabase]
) -> None:
    clock = Clock()
    store = make(tmp_path, clock=clock)
    store.add([event(0)])
    failing.error = FULL
    for number in (1, 2):
        with pytest.raises(OSError, match=r"^the disk is full$"):
            store.add([event(number)])
    assert store.fault == "the disk is full"
    assert numbers(store.newest(9)) == [0]
    failing.error = None
    clock.now += 1
    store.care()
    assert store.fault == ""
    assert numbers(store.newest(9)) == [0, 1, 2]
    store.close()


def test_more_than_a_thousand_events_in_memory_are_lost_and_counted(
    tmp_path: Path, failing: type[FailingDatabase]
) -> None:
    clock = Clock()
    store = make(tmp_path, clock=clock)
    failing.error = FULL
    for number in range(1500):
        with pytest.raises(OSError, match="full"):
            store.add([event(number)])
    failing.error = None
    clock.now += 1
    (last,) = store.add([event(1500)])
    found = store.newest(2000)
    assert last.details["n"] == 1500
    assert found[0].kind == "events-lost"
    assert found[0].details["count"] == 500
    assert numbers(found[1:]) == list(range(500, 1501))
    store.close()


def test_a_store_damaged_at_work_is_put_aside_and_the_event_at_hand_is_stored(
    tmp_path: Path, failing: type[FailingDatabase]
) -> None:
    store = make(tmp_path)
    before = store.add([event(0), event(1)])
    batch = store.batch("a", 1)
    once = [sqlite3.DatabaseError("database disk image is malformed")]
    real = database.EventDatabase.insert
    failing.insert = lambda self, events, most: (
        _raise(once.pop()) if once else real(self, events, most)
    )  # type: ignore[method-assign]
    (added,) = store.add([event(2)])
    store.advance("a", batch[-1])  # of the old store: must not move the new cursor
    found = [one.event for one in store.batch("a", 9)]
    assert [one.kind for one in found] == ["events-lost", "crossing"]
    assert "damaged" in found[0].details["reason"]
    assert added.id.rpartition("-")[0] != before[0].id.rpartition("-")[0]
    assert (tmp_path / DAMAGED).exists()
    store.close()


def _raise(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize("content", [b"no database at all, and long enough" * 100, b"short"])
def test_a_file_that_is_no_database_is_put_aside_at_the_start(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / FILE).write_bytes(content)
    store = make(tmp_path)
    store.add([event(0)])
    assert [one.kind for one in store.newest(9)] == ["events-lost", "crossing"]
    assert (tmp_path / DAMAGED).read_bytes() == content
    store.close()


def test_pages_overwritten_in_the_middle_are_noticed_at_the_start(tmp_path: Path) -> None:
    first = make(tmp_path)
    first.add([event(number, text="x" * 500) for number in range(500)])
    first.close()
    size = (tmp_path / FILE).stat().st_size
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(size - 8192))
    store = make(tmp_path)
    assert store.add([event(0)])[0].details["n"] == 0
    assert store.newest(9)[0].kind == "events-lost"
    store.close()


def test_a_file_that_is_removed_is_replaced_and_the_loss_is_an_event(tmp_path: Path) -> None:
    clock = Clock()
    store = make(tmp_path, clock=clock)
    store.add([event(0)])
    for path in tmp_path.iterdir():
        path.unlink()
    store.care()
    clock.now += 1
    store.care()
    store.add([event(1)])
    assert [one.kind for one in store.newest(9)] == ["events-lost", "crossing"]
    store.close()


def test_a_folder_that_cannot_be_made_is_a_fault_and_not_an_end(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "file").write_bytes(b"")
    store = Outbox(str(tmp_path / "file" / "below"), "yard", clock=clock)
    with pytest.raises(OSError, match="directory"):
        store.add([event(0)])
    (tmp_path / "file").unlink()
    clock.now += 1
    store.care()
    assert numbers(store.newest(1)) == [0]
    store.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk")
def test_a_full_disk_loses_nothing_that_fits_in_memory(tmp_path: Path) -> None:
    clock = Clock()
    with small_disk(tmp_path / "disk", 24) as disk:
        store = make(disk, clock=clock)
        store.add([event(0)])
        filler = fill(disk, 0)
        refusals = []
        for number in range(1, 900):
            try:
                store.add([event(number, text="x" * 2000)])
            except OSError as error:
                refusals.append(str(error))
        assert set(refusals) == {"the disk is full"}
        assert numbers([one.event for one in store.batch("a", 1)]) == [0]
        filler.unlink()
        clock.now += 1
        store.care()
        assert store.fault == ""
        assert numbers(store.newest(2000)) == list(range(900))
        store.close()


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


def test_refused_events_are_counted_and_noted(store: Outbox) -> None:
    store.add([event(0), event(1)])
    store.refuse("a", store.batch("a", 9), "the receiver refuses (400)")
    assert store.batch("a", 9) == []
    assert store.cursor("a").refused == 2
    (note,) = store.refusals()
    assert (note["sink"], note["first"], note["last"]) == ("a", 1, 2)
    assert note["reason"] == "the receiver refuses (400)"


WRITER = """
import sys
from studio.runtime.apps.sinks.outbox import Outbox
from tests.unit.runtime.apps.parts import event
store = Outbox(sys.argv[1], "yard", sinks=("a",))
for number in range(10**9):
    (added,) = store.add([event(number)])
    sys.stdout.write("%d %s\\n" % (number, added.id))
    sys.stdout.flush()
"""


def test_events_that_were_added_outlive_a_kill_in_a_burst(tmp_path: Path) -> None:
    reported: list[str] = []
    command = [sys.executable, "-P", "-c", WRITER, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for _ in range(3):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            reported += [process.stdout.readline() for _ in range(300)]
            process.send_signal(signal.SIGKILL)
            reported += process.stdout.readlines()
    store = make(tmp_path)
    stored = {one.id: one.details["n"] for one in store.newest(1_000_000)}
    store.close()
    whole = [line.split() for line in reported if line.endswith("\n")]
    assert len(whole) >= 900
    assert [line for line in whole if stored.get(line[1]) != int(line[0])] == []
