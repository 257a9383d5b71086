"""Full disks and damaged files are reported, and lose what memory cannot hold alone."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.apps.sinks import database, outbox
from studio.runtime.apps.sinks.outbox import DAMAGED, FILE, Outbox
from tests.rigs.disks import fill, small_disk
from tests.unit.runtime.apps.parts import event
from tests.unit.runtime.apps.sinks.outboxes import Clock, make, numbers


class FailingDatabase(database.EventDatabase):
    """A database that fails while ``error`` is set, or once."""

    error: sqlite3.Error | None = None
    once = False

    def insert(self, events: Any, most: int) -> Any:
        error = self.error
        if self.once:
            FailingDatabase.error = None
        if error is not None:
            raise error
        return super().insert(events, most)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> type[FailingDatabase]:
    monkeypatch.setattr(outbox, "EventDatabase", FailingDatabase)
    monkeypatch.setattr(FailingDatabase, "error", None)
    monkeypatch.setattr(FailingDatabase, "once", False)
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
    failing.error = sqlite3.DatabaseError("database disk image is malformed")
    failing.once = True
    (added,) = store.add([event(2)])
    store.advance("a", batch[-1])  # of the old store: must not move the new cursor
    found = [one.event for one in store.batch("a", 9)]
    assert [one.kind for one in found] == ["events-lost", "crossing"]
    assert "damaged" in found[0].details["reason"]
    assert added.id.rpartition("-")[0] != before[0].id.rpartition("-")[0]
    assert (tmp_path / DAMAGED).exists()
    store.close()


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
