"""The law of merging: whatever is lost, doubled or late, the counts are those of the board."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.monitoring.boards.message import BadMessage, read_heartbeat
from studio.monitoring.boards.record import (
    BACK,
    MOST_FOLDED,
    MOST_RUNS,
    TAKEN,
    BoardRecord,
    is_silent,
)
from tests.unit.monitoring.boards.boards import SimulatedBoard, message, run, sent

NOW = 1_800_000_000.0


def merged(record: BoardRecord, found: dict[str, Any], now: float = NOW) -> bool:
    """Merge a message given as plain data."""
    one = sent(found)
    return record.merge(read_heartbeat(one.board, one.content), now)


LIVES = st.lists(
    st.one_of(
        st.tuples(st.just("work"), st.integers(0, 1000), st.integers(0, 5)),
        st.tuples(st.sampled_from(["beat", "beat", "load", "reboot"])),
    ),
    max_size=30,
)


def lived(life: list[tuple[Any, ...]], seed: int) -> SimulatedBoard:
    """Return a board after a life, whose last message has arrived."""
    board = SimulatedBoard("cam-1", random.Random(seed))
    for what, *rest in life:
        if what == "work":
            requests, errors = rest
            board.work(requests + errors, errors)
        else:
            getattr(board, what)()
    board.beat()
    return board


@given(life=LIVES, seed=st.integers(0, 1 << 32), order=st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_any_order_loss_and_doubling_gives_the_boards_counts(
    life: list[tuple[Any, ...]], seed: int, order: random.Random
) -> None:
    board = lived(life, seed)
    *earlier, last = board.messages
    some = [one for one in earlier if order.random() < 0.7]
    arrived = [*some, *(one for one in some if order.random() < 0.5), last, last]
    order.shuffle(arrived)
    record = BoardRecord("cam-1")
    for one in arrived:
        merged(record, one)
    assert record.totals == (board.requests, board.errors, 0)
    assert sum(record.latency().values()) == board.requests - board.errors
    assert record.last is not None
    assert (record.last.start, record.last.seq) == (last["start"], last["seq"])


@given(life=LIVES, seed=st.integers(0, 1 << 32))
def test_counts_never_exceed_the_truth_and_never_sink(
    life: list[tuple[Any, ...]], seed: int
) -> None:
    board = lived(life, seed)
    record = BoardRecord("cam-1")
    before = 0
    for one in board.messages:
        merged(record, one)
        assert before <= record.totals[0] <= board.requests
        before = record.totals[0]
    assert before == board.requests


def test_many_runs_are_folded_and_counted_once() -> None:
    record = BoardRecord("cam-1")
    rounds = MOST_RUNS + 40
    sent_ones = [
        message(seq=number + 1, runs=[run(f"{number:016x}", 1, 10, 0, [[7, 10]])])
        for number in range(rounds)
    ]
    for one in (*sent_ones, *sent_ones):
        merged(record, one)
    assert record.totals == (10 * rounds, 0, 0)
    assert record.latency() == {7: 10 * rounds}
    assert len(record.runs) == MOST_RUNS
    assert len(record.folded) == 40


def test_memory_of_a_board_is_bounded() -> None:
    record = BoardRecord("cam-1")
    for number in range(MOST_RUNS + MOST_FOLDED + 100):
        merged(record, message(seq=number + 1, runs=[run(f"{number:016x}", 1, 1)]))
    assert len(record.runs) == MOST_RUNS
    assert len(record.folded) == MOST_FOLDED


def test_counts_that_go_back_are_refused_whole() -> None:
    record = BoardRecord("cam-1")
    merged(record, message(runs=[run("2" * 16, 5, 10)]))
    with pytest.raises(BadMessage, match=BACK):
        merged(record, message(seq=2, runs=[run("2" * 16, 6, 9)]))
    assert record.totals[0] == 10
    assert record.last is not None
    assert record.last.seq == 1


def test_two_boards_cannot_have_one_name() -> None:
    record = BoardRecord("cam-1")
    merged(record, message(boot="1" * 16))
    with pytest.raises(BadMessage, match=TAKEN):
        merged(record, message(boot="f" * 16, seq=9))
    assert merged(record, message(boot="f" * 16, seq=9), NOW + 1000)


def test_a_board_that_lost_its_files_is_heard_at_once() -> None:
    record = BoardRecord("cam-1")
    merged(record, message(start=9, seq=50))
    fresh = message(series="5" * 16, start=1, boot="6" * 16, runs=[run("7" * 16, 1, 3)])
    assert merged(record, fresh)
    assert record.last is not None
    assert record.last.series == "5" * 16
    assert record.totals[0] == 13


def test_a_late_message_of_the_lost_series_changes_nothing() -> None:
    record = BoardRecord("cam-1")
    late = message(start=9, seq=50)
    merged(record, late)
    merged(record, message(series="5" * 16, boot="6" * 16, runs=[run("7" * 16, 1, 3)]))
    assert not merged(record, late)
    assert not merged(record, message(start=9, seq=49))


def test_a_board_with_restored_files_is_heard_after_the_silence() -> None:
    record = BoardRecord("cam-1")
    merged(record, message(start=9, seq=50))
    back = message(start=3, seq=1, boot="6" * 16, runs=[])
    assert not merged(record, back)
    assert merged(record, back, NOW + 3 * 60 + 31)


@given(skew=st.floats(-86_400.0, 86_400.0))
def test_the_clock_of_a_board_decides_nothing(skew: float) -> None:
    record = BoardRecord("cam-1")
    merged(record, message(at=NOW + skew))
    assert record.heard == NOW
    assert merged(record, message(at=NOW - skew, seq=2, runs=[]), NOW + 60)
    assert not is_silent(record.heard, 60.0, NOW + 120)
    assert is_silent(record.heard, 60.0, NOW + 60 + 211)
