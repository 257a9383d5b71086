"""Reservations on this computer's own channel: real holders, real locks."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from studio.api import Cancelled, TargetError
from studio.profiling.boards import reservation
from studio.profiling.boards.reservation import BoardReserved, Claim, SameBoard, reserved
from studio.runtime.bench import reservation as holder
from studio_local.channel import LocalChannel
from tests.rigs.boards import until

DAY = 86_400


@contextmanager
def held(root: Path, job: Any, name: str = "cam-1", **claim: Any) -> Iterator[Any]:
    with reserved(LocalChannel(), str(root), name, Claim(**claim), job) as why_lost:
        yield why_lost


def lock_file(root: Path) -> Path:
    [found] = root.glob("reserved-*")
    return found


def foreign(root: Path, owner: str = "{}", patience: float = 60.0) -> subprocess.Popen[bytes]:
    """A holder of another studio, once it has the lock."""
    words = [sys.executable, holder.__file__, str(root), owner, "0", str(patience)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert b"held" in process.stdout.readline()
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def test_a_board_is_given_back_at_the_end(tmp_path, job):
    for _ in range(2):
        with held(tmp_path, job) as why_lost:
            assert why_lost() == ""


def test_a_board_is_given_back_after_an_error(tmp_path, job):
    with pytest.raises(ZeroDivisionError), held(tmp_path, job):
        raise ZeroDivisionError
    with held(tmp_path, job) as why_lost:
        assert why_lost() == ""


def test_a_second_study_is_refused_with_the_owner(tmp_path, job):
    other = foreign(tmp_path, '{"owner": "anna@lab", "study": "s"}')
    try:
        with pytest.raises(BoardReserved, match="cam-1 is reserved by anna@lab"):
            held(tmp_path, job).__enter__()
    finally:
        end(other)


def test_the_same_study_under_another_name_is_the_same_board(tmp_path, job):
    with (
        held(tmp_path, job, study="s", target="cam-1"),
        pytest.raises(SameBoard, match="cam-2 is the same board as cam-1"),
    ):
        held(tmp_path, job, "cam-2", study="s", target="cam-2").__enter__()


def test_a_study_waits_for_the_end_of_another(tmp_path, job):
    other = foreign(tmp_path, '{"owner": "anna@lab"}')
    assert other.stdin is not None
    job.log = lambda text: other.stdin.close()  # it ends when the wait is announced
    try:
        with held(tmp_path, job, wait=60.0) as why_lost:
            assert why_lost() == ""
    finally:
        end(other)


def test_a_wait_leaves_the_processor_to_others(tmp_path, job):
    other = foreign(tmp_path, '{"owner": "anna@lab"}')
    looks = []
    job.check = lambda: looks.append(time.monotonic())
    try:
        with pytest.raises(BoardReserved):
            held(tmp_path, job, wait=1.5).__enter__()
    finally:
        end(other)
    assert len(looks) < 100


def test_what_the_same_user_left_behind_is_waited_for(tmp_path, job):
    """A link that broke is noticed on the board later than here."""
    mine = json.dumps({"owner": reservation.owner_name(), "study": "", "target": ""})
    other = foreign(tmp_path, mine)
    said = []
    job.log = lambda text: (said.append(text), other.stdin.close())
    try:
        with held(tmp_path, job) as why_lost:
            assert why_lost() == ""
    finally:
        end(other)
    assert said == [f"cam-1 is reserved by {reservation.owner_name()}: waiting."]


@pytest.mark.parametrize(
    ("other", "owner", "left"),
    [
        (("a", "", ""), ("a", "", ""), True),
        (("a", "s", "cam-1"), ("a", "s", "cam-1"), True),
        (("a", "s", "cam-1"), ("a", "t", "cam-2"), True),
        (("a", "s", "cam-1"), ("a", "s", "cam-2"), False),
        (("b", "", ""), ("a", "", ""), False),
        (("", "", ""), ("", "", ""), False),
    ],
)
def test_whose_reservation_is_left_behind(other, owner, left):
    names = ("owner", "study", "target")
    lines = [json.dumps(dict(zip(names, one, strict=True))) for one in (other, owner)]
    assert holder.is_left_behind(*lines) is left


@pytest.mark.parametrize("line", ["", "{", "[1]", "{}", "null", "[" * 60_000])
def test_a_line_of_anything_is_nobodys(line):
    assert not holder.is_left_behind(line, line)


def test_a_killed_owner_gives_the_board_back(tmp_path, job):
    other = foreign(tmp_path)
    end(other)
    with held(tmp_path, job) as why_lost:
        assert why_lost() == ""


def test_an_owner_that_is_not_heard_loses_the_board(tmp_path, job):
    other = foreign(tmp_path, patience=0.3)
    try:
        other.wait(30)  # its input is open, but nothing comes
        with held(tmp_path, job) as why_lost:
            assert why_lost() == ""
    finally:
        end(other)


def test_a_cancelled_wait_ends(tmp_path, job):
    other = foreign(tmp_path)
    job.log = lambda text: setattr(job, "cancelled", True)
    try:
        with pytest.raises(Cancelled):
            held(tmp_path, job, wait=3600.0).__enter__()
        assert job.cancelled
    finally:
        end(other)


@pytest.mark.parametrize("skew", [-DAY, DAY])
def test_the_clock_does_not_matter(tmp_path, job, skew):
    other = foreign(tmp_path, '{"owner": "anna@lab"}')
    moment = time.time() + skew
    os.utime(lock_file(tmp_path), (moment, moment))
    try:
        with pytest.raises(BoardReserved, match="anna@lab"):
            held(tmp_path, job).__enter__()
    finally:
        end(other)
    with held(tmp_path, job) as why_lost:
        assert why_lost() == ""


@pytest.mark.parametrize(
    "owner", ["", "{", "[1]", '{"owner": {}}', '{"owner": "\\u001b[2Jevil\\n"}', "x" * 9000]
)
def test_whatever_the_board_calls_the_owner_is_one_plain_sentence(tmp_path, job, owner):
    other = foreign(tmp_path, owner)
    try:
        with pytest.raises(BoardReserved) as refused:
            held(tmp_path, job).__enter__()
    finally:
        end(other)
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 200


def test_a_link_in_place_of_the_lock_is_refused(tmp_path, job):
    with held(tmp_path, job):
        path = lock_file(tmp_path)
    precious = tmp_path / "precious"
    precious.write_text("mine")
    path.unlink()
    path.symlink_to(precious)
    with pytest.raises(TargetError, match="cam-1 cannot be reserved"):
        held(tmp_path, job).__enter__()
    assert precious.read_text() == "mine"


def test_a_lost_reservation_is_known(tmp_path, job, monkeypatch):
    monkeypatch.setattr(reservation, "PATIENCE_S", 0.2)
    with held(tmp_path, job) as why_lost:
        until(lambda: bool(why_lost()), "the holder gives the board back")
        assert why_lost() == "Its process on the board was ended."


def test_the_holder_answers_a_sign_of_life(tmp_path):
    process = foreign(tmp_path)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(b".")
        process.stdin.flush()
        assert select.select([process.stdout], [], [], 30)[0]
        assert b"held" in process.stdout.readline()
    finally:
        end(process)


def test_a_benchmark_without_its_owner_is_ended_first(tmp_path, job):
    program = tmp_path / "bench-0123" / "edgewright.pyz"
    program.parent.mkdir()
    program.write_text("import time; print(1, flush=True); time.sleep(600)")
    words = [sys.executable, str(program), "bench"]
    left = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert left.stdout is not None
    assert left.stdout.readline() == b"1\n"
    other = foreign(tmp_path, patience=0.3)
    try:
        other.wait(30)
        assert left.wait(30) < 0
        with held(tmp_path, job) as why_lost:
            assert why_lost() == ""
    finally:
        end(left)
        end(other)
