"""A bounded file of counts, in order whatever the clock does, and readable after damage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.runtime.serve.statistics.offline_log import NAME, OfflineLog


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_a_full_file_gives_way_to_another_and_the_newest_lines_stay(tmp_path: Path) -> None:
    ledger = OfflineLog(tmp_path, largest=2000)
    for number in range(500):
        assert ledger.append({"requests": number})
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert size <= 4000
    lines = ledger.read()
    assert [line["n"] for line in lines] == list(range(lines[0]["n"], 501))
    assert lines[-1]["requests"] == 499
    assert [line["n"] for line in ledger.read(after=498)] == [499, 500]


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    OfflineLog(tmp_path).append({})
    again = OfflineLog(tmp_path)
    again.append({})
    assert [line["n"] for line in again.read()] == [1, 2]


def test_a_clock_that_jumps_is_said_and_changes_no_order(tmp_path: Path) -> None:
    wall, steady = Clock(2e9), Clock(100.0)
    ledger = OfflineLog(tmp_path, wall=wall, steady=steady)
    ledger.append({})
    steady.now += 60
    wall.now += 60 - 86400
    ledger.append({})
    steady.now += 60
    wall.now += 60
    ledger.append({})
    first, second, third = ledger.read()
    assert (first["n"], second["n"], third["n"]) == (1, 2, 3)
    assert second["clock_jumped_s"] == -86400.0
    assert "clock_jumped_s" not in third
    assert second["at"] < first["at"]


def test_a_disk_that_is_full_loses_lines_and_says_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = OfflineLog(tmp_path)
    ledger.append({})
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda *_: 0)
        assert not ledger.append({})
        assert not ledger.append({})
    ledger.append({})
    assert [(line["n"], line.get("lost")) for line in ledger.read()] == [(1, None), (2, 2)]


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    ledger = OfflineLog(tmp_path)
    ledger.append({"requests": 1})
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"n": 2, "requ')
    ledger.append({"requests": 3})
    assert [line["requests"] for line in ledger.read()] == [1, 3]
