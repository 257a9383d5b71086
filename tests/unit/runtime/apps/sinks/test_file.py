"""A file of events holds whole lines, and no more of them than its limits allow."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from studio.runtime.apps.settings import AppError
from studio.runtime.apps.sinks.file import EventFile, FileSettings
from tests.rigs.disks import fill, small_disk
from tests.unit.runtime.apps.parts import Context, event


def sink(path: Path, max_mb: float = 10.0, keep: int = 3) -> EventFile:
    return EventFile("log", FileSettings(str(path), max_mb, keep), Context())


def lines(path: Path) -> list[int]:
    return [json.loads(line)["n"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_files_are_renamed_when_they_are_full_and_the_oldest_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    one = sink(path, max_mb=0.001, keep=2)
    for number in range(60):
        one.deliver([event(number)])
    names = sorted(found.name for found in tmp_path.iterdir())
    assert names == ["events.jsonl", "events.jsonl.1", "events.jsonl.2"]
    kept = [*lines(tmp_path / names[2]), *lines(tmp_path / names[1]), *lines(path)]
    assert kept == list(range(kept[0], 60))
    assert all(found.stat().st_size <= 1000 for found in tmp_path.iterdir())


def test_without_files_to_keep_the_file_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    one = sink(path, max_mb=0.001, keep=0)
    for number in range(60):
        one.deliver([event(number)])
    assert [found.name for found in tmp_path.iterdir()] == ["events.jsonl"]


def test_a_line_cut_by_a_power_failure_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"n": 1, "ki')
    sink(path).deliver([event(2)])
    assert json.loads(path.read_text().splitlines()[1])["n"] == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk")
def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        path = disk / "events.jsonl"
        one = sink(path)
        one.deliver([event(1)])
        filler = fill(disk, 0)
        with pytest.raises(OSError, match=r"space|full"):
            one.deliver([event(number, text="x" * 500) for number in range(2, 40)])
        filler.unlink()
        one.deliver([event(40)])
        assert lines(path) == [1, 40]


@pytest.mark.parametrize("limits", [(0.0, 3), (1.0, -1)])
def test_limits_out_of_range_are_refused(tmp_path: Path, limits: tuple[float, int]) -> None:
    with pytest.raises(AppError, match="max_mb is above 0"):
        sink(tmp_path / "events", *limits)
