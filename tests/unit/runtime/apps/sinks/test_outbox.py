"""The outbox keeps events until each sink has them, through kills, full disks and damage."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.runtime.apps.items import Event, FrameStamp
from studio.runtime.apps.sinks.outbox import Outbox
from tests.unit.runtime.apps.parts import event
from tests.unit.runtime.apps.sinks.outboxes import Clock, make, numbers


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Outbox]:
    found = make(tmp_path)
    yield found
    found.close()


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
from tests.unit.runtime.apps.sinks.outboxes import Clock, make, numbers
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
