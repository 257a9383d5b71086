"""Counts that wait on the board: processes of their own files, bounded, and disks that fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.runtime.fleet.outbox import MOST_FILES, MOST_RUNS, Outbox


def one_run(name: str, seq: int = 1, requests: int = 1) -> dict[str, Any]:
    """Return the counts of a run."""
    texts = {"run": name, "model": "m", "version": "1", "release": "r"}
    return {**texts, "seq": seq, "requests": requests, "errors": 0, "rejected": 0, "latency": []}


def test_the_next_process_sends_what_the_one_before_counted(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "fleet")
    assert first.store([one_run("a", 3, 30)])
    second = Outbox(tmp_path / "fleet")
    assert second.identity.series == first.identity.series
    assert second.identity.start == first.identity.start + 1
    assert second.all([one_run("b")]) == [one_run("b"), one_run("a", 3, 30)]


def test_a_process_that_still_drains_is_seen_by_its_successor(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "fleet")
    first.store([one_run("a", 1, 1)])
    second = Outbox(tmp_path / "fleet")
    first.store([one_run("a", 2, 2)])
    assert second.all([]) == [one_run("a", 2, 2)]


def test_the_folder_is_bounded(tmp_path: Path) -> None:
    for number in range(3 * MOST_FILES):
        outbox = Outbox(tmp_path / "fleet")
        outbox.store([one_run(f"r{number}-{part}") for part in range(16)])
    assert len(list((tmp_path / "fleet").glob("*.runs"))) <= MOST_FILES
    found = outbox.all([one_run("now")])
    assert len(found) == MOST_RUNS
    assert found[0] == one_run("now")
    assert Outbox(tmp_path / "fleet").dropped > 0


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "fleet")
    outbox.store([one_run("a")])
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "fleet").iterdir()}
    assert modes == {0}


def test_damaged_files_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    first = Outbox(folder)
    first.store([one_run("a")])
    (folder / "torn.runs").write_bytes(b'{"start": 1, "ru')
    others = {"start": "x", "runs": [1, {"run": "b"}, one_run("c")]}
    (folder / "other.runs").write_text(json.dumps(others))
    (folder / "identity.json").write_bytes(b"\x00" * 64)
    second = Outbox(folder)
    assert second.identity.series != first.identity.series
    assert second.all([]) == [one_run("a"), one_run("c")]


def test_a_disk_that_takes_nothing_leaves_the_counts_of_the_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    outbox = Outbox(tmp_path / "file" / "fleet")
    assert not outbox.store([one_run("a")])
    assert outbox.all([one_run("a")]) == [one_run("a")]
