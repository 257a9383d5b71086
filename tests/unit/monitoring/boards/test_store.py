"""Store of the boards: its content, two writers, and damage."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from studio.api import TargetError
from studio.monitoring.boards.fleet_state import FleetState
from studio.monitoring.boards.record import MOST_RUNS
from tests.unit.monitoring.boards.boards import SimulatedBoard, message, run, sent

NOW = 1_800_000_000.0


def opened(path: Path) -> FleetState:
    """Open a file."""
    return FleetState(path, clock=lambda: NOW)


def test_all_comes_back(tmp_path: Path) -> None:
    path, chance = tmp_path / "fleet" / "boards.sqlite", random.Random(4)
    boards = [SimulatedBoard(f"cam-{number}", chance) for number in range(20)]
    fleet = opened(path)
    for _ in range(30):
        for board in boards:
            board.work(chance.randrange(50), 0)
            if chance.random() < 0.2:
                board.reboot()
            fleet.take([sent(board.beat())])
        fleet.save()
    fleet.close()
    again = opened(path)
    for board in boards:
        assert again.record(board.name).totals[0] == board.requests
        assert again.record(board.name).last == fleet.record(board.name).last
        assert list(again.record(board.name).runs) == list(fleet.record(board.name).runs)
    again.take([sent(one) for board in boards for one in board.messages])
    assert [again.record(board.name).totals[0] for board in boards] == [b.requests for b in boards]
    again.close()


def test_folded_runs_come_back_folded(tmp_path: Path) -> None:
    fleet = opened(tmp_path / "boards.sqlite")
    for number in range(MOST_RUNS + 10):
        found = message(seq=number + 1, runs=[run(f"{number:016x}", 1, 10, 0, [[7, 10]])])
        fleet.take([sent(found)])
        fleet.save()
    fleet.close()
    again = opened(tmp_path / "boards.sqlite")
    record = again.record("cam-1")
    assert record.totals[0] == 10 * (MOST_RUNS + 10)
    assert len(record.folded) == 10
    again.take([sent(message(seq=1, runs=[run(f"{0:016x}", 1, 10, 0, [[7, 10]])]))])
    assert record.totals[0] == 10 * (MOST_RUNS + 10)
    again.close()


def test_two_writers_keep_the_later_look(tmp_path: Path) -> None:
    first, second = opened(tmp_path / "boards.sqlite"), opened(tmp_path / "boards.sqlite")
    first.take([sent(message(seq=9, runs=[run("2" * 16, 9, 90)]))])
    second.take([sent(message(seq=3, runs=[run("2" * 16, 3, 30)]))])
    first.save()
    second.save()
    first.close()
    second.close()
    again = opened(tmp_path / "boards.sqlite")
    assert again.record("cam-1").totals[0] == 90
    again.close()


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "boards.sqlite"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(TargetError, match="cannot be used"):
        opened(path)


def test_a_board_that_was_silent_stays_silent(tmp_path: Path) -> None:
    fleet = opened(tmp_path / "boards.sqlite")
    fleet.take([sent(message())])
    fleet.close()
    again = FleetState(tmp_path / "boards.sqlite", clock=lambda: NOW + 5000)
    # The broker still has the message: to read it again is no sign of life.
    again.take([sent(message())])
    assert again.record("cam-1").heard == NOW
    assert again.table.state_of("cam-1", NOW + 5000) == "silent"
    again.close()
