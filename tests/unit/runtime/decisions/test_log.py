"""The record of decisions: chained, in segments, found broken wherever it was touched."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import pytest

from studio.runtime.decisions import log as logs
from studio.runtime.decisions.chain import ChainCheck
from studio.runtime.decisions.entry import DECISION, read_entry
from studio.runtime.decisions.log import DecisionLog, Draft, lines_of, segments_of
from tests.unit.runtime.decisions.logs import decision, fault_in, filled, whole_text


def test_entries_are_chained_over_segments(tmp_path: Path) -> None:
    filled(tmp_path / "d", 12)
    assert len(segments_of(tmp_path / "d")) > 2
    assert fault_in(tmp_path / "d") is None


def test_only_the_servers_user_may_read_it(tmp_path: Path) -> None:
    filled(tmp_path / "d", 1)
    (segment,) = segments_of(tmp_path / "d")
    assert os.stat(tmp_path / "d").st_mode & 0o777 == 0o700
    assert segment.path.stat().st_mode & 0o777 == 0o600


def test_each_changed_byte_is_found(tmp_path: Path) -> None:
    filled(tmp_path / "d", 6)
    chance = random.Random(22)
    for _ in range(300):
        segment = chance.choice(segments_of(tmp_path / "d"))
        whole = segment.path.read_bytes()
        place = chance.randrange(len(whole))
        other = (whole[place] + chance.randrange(1, 256)) % 256
        segment.path.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
        fault = fault_in(tmp_path / "d")
        last_break = segment == segments_of(tmp_path / "d")[-1] and place == len(whole) - 1
        assert fault is not None or last_break, (segment.name, place, other)
        segment.path.write_bytes(whole)


def test_the_place_of_a_change_is_named(tmp_path: Path) -> None:
    filled(tmp_path / "d", 6)
    segment = segments_of(tmp_path / "d")[1]
    lines = segment.path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"model":"m"', b'"model":"n"')
    segment.path.write_bytes(b"".join(lines))
    fault = fault_in(tmp_path / "d")
    assert fault is not None
    assert (fault.file, fault.line) == (segment.name, 2)
    assert fault.reason == "the content of the entry was altered"
    assert fault.at.startswith("20")


@pytest.mark.parametrize("cut", [0, 1])
def test_a_missing_segment_is_found(tmp_path: Path, cut: int) -> None:
    filled(tmp_path / "d", 9)
    segments_of(tmp_path / "d")[cut].path.unlink()
    fault = fault_in(tmp_path / "d")
    assert fault is not None
    assert "missing" in fault.reason


def test_entries_in_another_order_are_found(tmp_path: Path) -> None:
    filled(tmp_path / "d", 3, segment_bytes=1 << 20)
    (segment,) = segments_of(tmp_path / "d")
    first, second, third = segment.path.read_bytes().splitlines(keepends=True)
    segment.path.write_bytes(first + third + second)
    fault = fault_in(tmp_path / "d")
    assert fault is not None
    assert fault.line == 2


def test_the_torn_end_of_a_power_cut_is_cut_off(tmp_path: Path) -> None:
    log = filled(tmp_path / "d", 2, segment_bytes=1 << 20)
    (segment,) = segments_of(tmp_path / "d")
    with segment.path.open("ab") as file:
        file.write(b'{"at":"2026-')
    assert fault_in(tmp_path / "d") is None
    log.append([decision(3)])
    assert fault_in(tmp_path / "d") is None
    assert len(list(lines_of(segment.path))) == 3


def test_two_processes_share_one_chain(tmp_path: Path) -> None:
    one, other = DecisionLog(tmp_path / "d"), DecisionLog(tmp_path / "d")

    def write(log: DecisionLog) -> None:
        for number in range(20):
            log.append([decision(number)])

    threads = [threading.Thread(target=write, args=(log,)) for log in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fault_in(tmp_path / "d") is None
    assert whole_text(tmp_path / "d").count("\n") == 40


def test_a_newline_in_a_text_begins_no_entry(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d")
    forged = 'x\n{"number":2,"event":"decision"}\r\u2028\x00'
    log.append([Draft(DECISION, time.time(), {"request": "a", "reason": forged})])
    (segment,) = segments_of(tmp_path / "d")
    (line,) = lines_of(segment.path)
    entry = read_entry(line)
    assert entry is not None
    assert (entry.kept or {})["reason"] == forged


def test_a_new_day_begins_a_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled(tmp_path / "d", 2, segment_bytes=1 << 20)
    later = time.gmtime(time.time() + 86_400)
    monkeypatch.setattr(logs.time, "gmtime", lambda *_: later)
    log.append([decision(3)])
    assert len(segments_of(tmp_path / "d")) == 2
    monkeypatch.undo()
    log.append([decision(4)])  # the clock was set back
    assert len(segments_of(tmp_path / "d")) == 2
    assert fault_in(tmp_path / "d") is None


def test_a_batch_that_the_disk_refuses_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = filled(tmp_path / "d", 2, segment_bytes=1 << 20)
    before = whole_text(tmp_path / "d")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(logs.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        log.append([decision(3)])
    monkeypatch.undo()
    assert whole_text(tmp_path / "d") == before
    log.append([decision(3)])
    assert fault_in(tmp_path / "d") is None


def test_lines_without_end_are_no_entries(tmp_path: Path) -> None:
    check = ChainCheck()
    assert check.add(b"[" * 200_000, "x", 1) is None
    assert check.add(b'{"number":' + b"9" * 60_000 + b"}", "x", 2) is None
    fault = check.finish()
    assert fault is not None
    assert fault.line == 1
