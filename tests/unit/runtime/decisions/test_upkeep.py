"""Deletions from the record: whole segments by age, and contents on request; both are proved."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from studio.runtime.decisions.entry import DELETED, FORGOTTEN, OVERRIDE, read_entry
from studio.runtime.decisions.log import DecisionLog, Draft, lines_of, segments_of
from studio.runtime.decisions.search import find_request
from studio.runtime.decisions.upkeep import ForgetRequest, drop_old, forget
from tests.unit.runtime.decisions.logs import decision, fault_in, filled, whole_text

DAY_S = 86_400.0


def aged(folder: Path, count: int, days: float) -> None:
    """Let the first segments be some days old."""
    then = time.time() - days * DAY_S
    for segment in segments_of(folder)[:count]:
        os.utime(segment.path, (then, then))


def last_kept(folder: Path) -> dict[str, object]:
    """Content of the newest entry."""
    line = list(lines_of(segments_of(folder)[-1].path))[-1]
    entry = read_entry(line)
    assert entry is not None
    return {"event": entry.event, **(entry.kept or {})}


def test_old_segments_go_whole_and_leave_a_proof(tmp_path: Path) -> None:
    log = filled(tmp_path, 12)
    first = segments_of(tmp_path)[0]
    lines = list(lines_of(first.path))
    ends = [read_entry(lines[0]), read_entry(lines[-1])]
    aged(tmp_path, 2, 31)
    gone = drop_old(log, 30)
    assert [one.name for one in gone] == [first.name, gone[1].name]
    assert not first.path.exists()
    assert fault_in(tmp_path) is None
    proof = last_kept(tmp_path)
    assert proof["event"] == DELETED
    segments = proof["segments"]
    assert isinstance(segments, list)
    assert [segments[0]["first"], segments[0]["last"]] == [one.hash for one in ends if one]
    assert segments[0]["entries"] == len(lines)
    assert segments[0]["begin"] <= segments[0]["end"]


def test_nothing_goes_before_its_time(tmp_path: Path) -> None:
    log = filled(tmp_path, 12)
    aged(tmp_path, 2, 29)
    assert drop_old(log, 30) == []


def test_an_idle_board_loses_its_newest_entries_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = filled(tmp_path, 3, segment_bytes=1 << 20)
    (segment,) = segments_of(tmp_path)
    segment.path.rename(tmp_path / "000001-2020-01-01.jsonl")
    aged(tmp_path, 1, 40)
    assert len(drop_old(log, 30)) == 1
    assert "r3" not in whole_text(tmp_path)
    assert fault_in(tmp_path) is None


def test_a_clock_that_began_in_1970_deletes_nothing_new(tmp_path: Path) -> None:
    log = filled(tmp_path, 6)
    os.utime(segments_of(tmp_path)[0].path, (1000, 1000))
    assert drop_old(log, 1) == []


def test_a_deletion_without_its_proof_is_found(tmp_path: Path) -> None:
    log = filled(tmp_path, 12)
    aged(tmp_path, 2, 31)
    drop_old(log, 30)
    segments_of(tmp_path)[0].path.unlink()  # one more than the proof has
    fault = fault_in(tmp_path)
    assert fault is not None
    assert fault.reason == "the beginning is missing, and no entry proves its deletion"


def test_a_forgotten_request_leaves_its_hash(tmp_path: Path) -> None:
    log = filled(tmp_path, 8)
    log.append([Draft(OVERRIDE, time.time(), {"request": "r3", "by": "Ann", "decision": "no"})])
    assert forget(log, ForgetRequest(request="r3", by="Officer")) == 2
    text = whole_text(tmp_path)
    assert "r3" not in text
    assert "Ann" not in text
    assert fault_in(tmp_path) is None
    proof = last_kept(tmp_path)
    assert (proof["event"], proof["by"]) == (FORGOTTEN, "Officer")
    numbers = proof["numbers"]
    assert isinstance(numbers, list)
    assert numbers == [3, 9]
    assert find_request(tmp_path, "3") is None


def test_a_forgotten_input_is_gone_wherever_it_was(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path, 1500)
    for batch in range(20):
        numbers = range(50 * batch, 50 * batch + 50)
        log.append([decision(one, input="e" * 64 if one % 2 else "f" * 64) for one in numbers])
    assert forget(log, ForgetRequest(input="e" * 64, by="Officer")) == 500
    assert "e" * 64 not in whole_text(tmp_path)
    assert "f" * 64 in whole_text(tmp_path)
    assert fault_in(tmp_path) is None
    assert forget(log, ForgetRequest(input="e" * 64, by="Officer")) == 0


def test_the_hash_that_stays_cannot_be_guessed(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path)
    first, second = log.append([decision(1, at=1e9), decision(1, at=1e9)])
    assert first.content != second.content


def test_a_content_that_was_removed_in_silence_is_found(tmp_path: Path) -> None:
    filled(tmp_path, 6, segment_bytes=1 << 20)
    (segment,) = segments_of(tmp_path)
    lines = segment.path.read_bytes().splitlines()
    document = json.loads(lines[3])
    del document["kept"]
    lines[3] = json.dumps(document).encode()
    segment.path.write_bytes(b"\n".join(lines) + b"\n")
    fault = fault_in(tmp_path)
    assert fault is not None
    assert (fault.line, fault.reason) == (
        4,
        "the content was removed, and no entry names who did it",
    )


def test_forgetting_renews_no_segment(tmp_path: Path) -> None:
    log = filled(tmp_path, 12)
    aged(tmp_path, 1, 31)
    forget(log, ForgetRequest(request="r1", by="Officer"))
    assert len(drop_old(log, 30)) == 1
    assert fault_in(tmp_path) is None


def test_a_request_is_found_by_its_id(tmp_path: Path) -> None:
    log = filled(tmp_path, 8)
    now = int(1000 * time.time())
    name = f"{now:x}-{'ab' * 6}-1"
    log.append([decision(9, request=name)])
    found = find_request(tmp_path, name)
    assert found is not None
    assert found.number == 9
    assert find_request(tmp_path, f"{now:x}-{'ab' * 6}-2") is None
