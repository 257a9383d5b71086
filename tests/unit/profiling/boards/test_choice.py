"""The boards of a study: what is refused before anything is measured."""

from __future__ import annotations

import pytest

from studio.api import TargetSpec, UsageError
from studio.profiling.boards.choice import check_boards


def board(name: str, url: str) -> TargetSpec:
    return TargetSpec(name, url)


def test_no_boards_are_refused() -> None:
    with pytest.raises(UsageError, match="Missing boards"):
        check_boards(())


@pytest.mark.parametrize(
    "other",
    ["ssh://pi@10.0.0.7", "ssh://root@10.0.0.7:22", "ssh://pi@10.0.0.7:22/"],
)
def test_two_names_of_one_address_are_refused(other: str) -> None:
    boards = [board("cam-1", "ssh://pi@10.0.0.7"), board("cam-2", other)]
    with pytest.raises(UsageError, match="cam-1 and cam-2 have the same address"):
        check_boards(boards)


def test_case_makes_no_other_host() -> None:
    boards = [board("a", "ssh://pi@Lab.example"), board("b", "ssh://pi@lab.example")]
    with pytest.raises(UsageError, match="same address"):
        check_boards(boards)


def test_a_board_that_is_named_twice_is_refused() -> None:
    boards = [board("cam-1", "ssh://pi@10.0.0.7"), board("cam-1", "ssh://pi@10.0.0.7")]
    with pytest.raises(UsageError, match="cam-1 is named twice"):
        check_boards(boards)


def test_ports_make_other_boards() -> None:
    check_boards([board("a", "ssh://pi@10.0.0.7:2201"), board("b", "ssh://pi@10.0.0.7:2202")])


def test_an_impossible_port_is_no_crash() -> None:
    check_boards([board("a", "ssh://pi@10.0.0.7:99999"), board("b", "docker://box")])
