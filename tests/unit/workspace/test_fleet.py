"""Rows of a fleet and the inbox of its alerts."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import pytest

from studio.monitoring.results import Alert, FleetSample
from studio.workspace.fleet import BAD, GOOD, WARNING, Fleet
from studio.workspace.inbox import HOUR_S, MOST, Inbox
from studio.workspace.sample_ring import KEPT, SamplePoint, SampleRing


def sample(target: str, *alerts: str, health: str = "healthy", **more: Any) -> FleetSample:
    found = tuple(Alert(name, "warning", f"{name}.") for name in alerts)
    return FleetSample(target, health=health, alerts=found, **more)


def test_the_worst_stand_first_and_others_by_name() -> None:
    fleet = Fleet()
    fleet.ingest(
        [
            sample("b"),
            sample("a"),
            sample("d", "drift"),
            sample("c", "drift", "latency"),
            sample("e", health="unreachable"),
        ]
    )
    assert [row.name for row in fleet.shown()] == ["e", "c", "d", "a", "b"]
    assert fleet.counts() == {BAD: 1, WARNING: 2, GOOD: 2}
    assert [row.name for row in fleet.shown(only_bad=True)] == ["e", "c", "d"]


def test_a_filter_has_words_for_names_versions_and_alerts() -> None:
    fleet = Fleet()
    fleet.ingest(
        [sample("roof-1", "drift", version=3), sample("roof-2", version=4), sample("cellar")]
    )
    assert [row.name for row in fleet.shown("roof v3")] == ["roof-1"]
    assert [row.name for row in fleet.shown("DRIFT")] == ["roof-1"]
    assert fleet.shown("attic") == []


def test_memory_of_an_endpoint_is_bounded() -> None:
    fleet = Fleet()
    for number in range(3 * KEPT):
        fleet.ingest([sample("a", version=number // 100)])
    row = fleet.row("a")
    assert row is not None
    assert len(row.moments) == KEPT


def test_telemetry_of_an_older_runtime_is_shown_as_far_as_it_goes() -> None:
    fleet = Fleet()
    fleet.ingest([FleetSample("old", health="healthy")])
    row = fleet.row("old")
    assert row is not None
    assert row.last is not None
    assert (row.tone, row.last.p99, row.version) == (GOOD, None, "")


def test_moments_are_a_ring_that_gives_back_what_was_put_in() -> None:
    moments = SampleRing()
    assert not moments
    assert list(moments) == []
    put = [
        SamplePoint(
            (GOOD, WARNING, BAD, "")[n % 4],
            None if n % 5 == 0 else n / 3,
            None if n % 7 == 0 else float(n),
            str(n // 50),
            1e9 + n,
        )
        for n in range(2 * KEPT + 17)
    ]
    for count, moment in enumerate(put, 1):
        moments.append(moment)
        assert len(moments) == min(count, KEPT)
        assert (moments[0], moments[-1]) == (put[max(count - KEPT, 0)], moment)
    assert list(moments) == put[-KEPT:]
    assert moments[3:8] == put[-KEPT:][3:8]
    assert moments.tones() == [moment.tone for moment in put[-KEPT:]]
    assert moments.versions() == [moment.version for moment in put[-KEPT:]]
    with pytest.raises(IndexError):
        moments[KEPT]


def test_what_is_kept_of_an_endpoint_is_no_work_for_the_collector_of_cycles() -> None:
    """Tens of thousands of objects would be walked through again and again, 25 ms at a time."""
    fleet = Fleet()
    gc.collect()
    before = len(gc.get_objects())
    for second in range(KEPT):
        fleet.ingest(
            [sample(f"e{n}", at="2026-11-20T10:00:00+00:00", version=second) for n in range(20)]
        )
    gc.collect()
    assert len(gc.get_objects()) - before < 20 * 10


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


def test_what_somebody_has_seen_waits_no_longer_until_it_begins_anew() -> None:
    inbox = Inbox(clock=Clock())
    assert inbox.ingest([sample("a", "drift")])
    assert not inbox.ingest([sample("a", "drift")])
    (entry,) = inbox.waiting()
    inbox.acknowledge(entry)
    assert inbox.waiting() == []
    assert inbox.ingest([sample("a")])
    assert not entry.active
    inbox.ingest([sample("a", "drift")])
    assert inbox.waiting() == [entry]


def test_silence_ends_and_a_clock_that_jumps_back_does_not_make_it_last() -> None:
    clock = Clock()
    inbox = Inbox(clock=clock)
    inbox.ingest([sample("a", "drift")])
    (entry,) = inbox.waiting()
    inbox.silence(entry)
    assert inbox.waiting() == []
    clock.now += HOUR_S + 1
    assert inbox.waiting() == [entry]
    inbox.silence(entry)
    clock.now -= 365 * 24 * HOUR_S
    assert inbox.waiting() == [entry]


def test_it_is_kept_in_a_file_and_a_damaged_one_is_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "alerts.json"
    inbox = Inbox(path)
    inbox.ingest([sample("a", "drift")])
    inbox.acknowledge(inbox.entries()[0])
    again = Inbox(path)
    (entry,) = again.entries()
    assert (entry.acknowledged, entry.active) == (True, False)
    path.write_text(json.dumps([{"of": "another version"}]))
    assert Inbox(path).entries() == []


def test_the_number_of_entries_is_bounded_and_what_holds_stays() -> None:
    inbox = Inbox(clock=Clock())
    inbox.ingest([sample("keep", "drift")])
    for number in range(MOST + 50):
        inbox.ingest([sample(f"t{number}", "drift")])
        inbox.ingest([sample(f"t{number}")])
    assert len(inbox.entries()) == MOST
    assert inbox.entries()[0].target == "keep"
