"""The table: filters, groups and percentiles, held against plain loops over the boards."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.monitoring.boards.columns import MOST_TEXTS, OTHER, CodedColumn
from studio.monitoring.boards.fleet_state import CROWDED, FleetState
from studio.monitoring.boards.table import (
    ALERTING,
    GOOD,
    NONE,
    NOT_READY,
    SILENT,
    BoardFilter,
    latency_percentiles,
)
from tests.unit.monitoring.boards.boards import RELEASE, message, run, sent

NOW = 1_800_000_000.0


def fleet_of(count: int, seed: int = 1) -> tuple[FleetState, list[dict[str, object]]]:
    """Return boards of several sites, releases and states, with the truth."""
    chance = random.Random(seed)
    fleet = FleetState(clock=lambda: NOW)
    truth = []
    for number in range(count):
        site = chance.choice(["north", "south", ""])
        state = chance.choice([GOOD, ALERTING, NOT_READY, SILENT])
        requests = chance.randrange(1, 1000)
        release = chance.choice(["aa" * 32, "bb" * 32])
        one = message(
            f"cam-{number}",
            labels={"site": site} if site else {},
            ready=state != NOT_READY,
            alerts=["drift"] if state == ALERTING else [],
            release=release,
            runs=[run("2" * 16, 1, requests, 1, [[chance.randrange(300), requests - 1]], release)]
            if requests > 1
            else [],
        )
        fleet.take([sent(one, age_s=1000.0 if state == SILENT else 0.0)])
        truth.append({"site": site, "state": state, "release": release, "board": one})
    return fleet, truth


@given(count=st.integers(1, 60), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_groups_are_those_of_a_plain_loop(count: int, seed: int) -> None:
    fleet, truth = fleet_of(count, seed)
    mask = fleet.table.select(BoardFilter(), NOW)
    found = {one.group: one for one in fleet.table.groups("site", mask, NOW)}
    sites = [str(one["site"]) or NONE for one in truth]
    assert {name: one.boards for name, one in found.items()} == {
        name: sites.count(name) for name in set(sites)
    }
    for name, group in found.items():
        members = [t for t, site in zip(truth, sites, strict=True) if site == name]
        states = [one["state"] for one in members]
        assert group.states == {state: states.count(state) for state in states}
        totals = [fleet.record(str(t["board"]["board"])).totals for t in members]  # type: ignore[index]
        assert group.requests == sum(one[0] for one in totals)
        assert group.errors == sum(one[1] for one in totals)


def test_small_groups_are_one_group_in_the_end() -> None:
    fleet = FleetState(clock=lambda: NOW)
    for number in range(30):
        site = f"s{number}" if number > 9 else "large"
        fleet.take([sent(message(f"b{number}", labels={"site": site}))])
    mask = fleet.table.select(BoardFilter(), NOW)
    found = fleet.table.groups("site", mask, NOW, most=3)
    assert [one.group for one in found] == ["large", "s10", "s11", "(others)"]
    assert [one.boards for one in found] == [10, 1, 1, 18]


def test_filters_are_those_of_a_plain_loop() -> None:
    fleet, truth = fleet_of(200)
    table = fleet.table
    cases = [
        (BoardFilter({"site": "north"}), lambda one: one["site"] == "north"),
        (BoardFilter({"site": ""}), lambda one: one["site"] == ""),
        (BoardFilter({"none": "x"}), lambda one: False),
        (BoardFilter(release="aa"), lambda one: str(one["release"]).startswith("aa")),
        (BoardFilter(states=(SILENT, NOT_READY)), lambda one: one["state"] in (SILENT, NOT_READY)),
        (BoardFilter(alert="drift", states=(ALERTING,)), lambda one: one["state"] == ALERTING),
        (BoardFilter(alert="nothing"), lambda one: False),
        (BoardFilter(name="CAM-19"), lambda one: "cam-19" in one["board"]["board"]),
    ]
    for wanted, holds in cases:
        expected = [one["board"]["board"] for one in truth if holds(one)]  # type: ignore[index,no-untyped-call]
        assert table.boards(table.select(wanted, NOW), most=500) == expected


def test_a_page_of_boards_has_a_beginning_and_an_end() -> None:
    fleet, _ = fleet_of(30)
    mask = fleet.table.select(BoardFilter(), NOW)
    assert fleet.table.boards(mask, 10, 2) == ["cam-10", "cam-11"]


@given(
    values=st.lists(st.floats(2e-5, 60.0), min_size=1, max_size=200),
)
def test_percentiles_are_right_to_one_bucket(values: list[float]) -> None:
    from studio.runtime.serve.statistics.buckets import BUCKETS, buckets_of

    counts = np.bincount(buckets_of(np.array(values)), minlength=BUCKETS)
    found = latency_percentiles(counts)
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        exact = 1000 * sorted(values)[max(0, int(np.ceil(share * len(values))) - 1)]
        assert found[name] == pytest.approx(exact, rel=0.051, abs=1e-3)


def test_nothing_has_no_percentiles() -> None:
    assert latency_percentiles(np.zeros(350, np.int64)) == {}


def test_percentiles_over_boards() -> None:
    fleet = FleetState(clock=lambda: NOW)
    for number in range(101):
        facts = {"memory_mb": float(number)} if number % 2 == 0 else {}
        fleet.take([sent(message(f"b{number}", facts=facts))])
    figures = fleet.table.figures(fleet.table.select(BoardFilter(), NOW), NOW)
    assert figures.of_boards["memory_mb"]["p50"] == 50.0
    assert "celsius" not in figures.of_boards


def test_latency_is_of_the_release_that_serves_now() -> None:
    fleet = FleetState(clock=lambda: NOW)
    old = run("3" * 16, 1, 100, 0, [[300, 100]], "cc" * 32)
    new = run("2" * 16, 1, 10, 0, [[100, 10]])
    fleet.take([sent(message(runs=[new, old]))])
    figures = fleet.table.figures(fleet.table.select(BoardFilter(release=RELEASE), NOW), NOW)
    assert figures.requests == 110
    assert figures.latency_ms["p99"] < 2.0


def test_changes_are_taken_once() -> None:
    fleet = FleetState(clock=lambda: NOW)
    fleet.take([sent(message("a")), sent(message("b"))])
    assert fleet.table.take_changes() == {"a", "b"}
    fleet.take([sent(message("b", seq=2))])
    assert fleet.table.take_changes() == {"b"}
    assert fleet.table.take_changes() == set()


def test_a_crowd_of_boards_is_refused_and_counted() -> None:
    fleet = FleetState(most=3, clock=lambda: NOW)
    fleet.take([sent(message(f"b{number}")) for number in range(10)])
    assert len(fleet.table) == 3
    assert fleet.refused == {CROWDED: 7}
    fleet.take([sent(message("b1", seq=2))])
    assert fleet.refused == {CROWDED: 7}


def test_a_flood_of_hostile_names_is_counted_and_few_are_named() -> None:
    fleet = FleetState(clock=lambda: NOW)
    fleet.take([sent(message("x"), board=f"b{number}") for number in range(1000)])
    fleet.take([sent(message("x"), board="\x1b[2J") for _ in range(10)])
    assert fleet.refused == {"name of another board": 1000, "bad name": 10}
    assert len(fleet.refused_boards) == 20
    assert len(fleet.table) == 0


def test_a_column_with_too_many_texts_has_others() -> None:
    column = CodedColumn(MOST_TEXTS + 10)
    for row in range(MOST_TEXTS + 10):
        column.put(row, f"t{row}")
    assert len(column.texts) == MOST_TEXTS
    assert column.texts[column.codes[MOST_TEXTS + 5]] == OTHER
