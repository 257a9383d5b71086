"""A board that sends what no record has: bounded, and said in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from studio.api import TargetError
from studio.deployment.decisions.pages import PageAnswer, RecordPages, SegmentSize

NAME = "000001-2026-12-01.jsonl"


class Board:
    """A release machine that answers pages as a test wants."""

    def __init__(self, lines: str, name: str = NAME, size: int = 10, answered: str = NAME) -> None:
        self.asked = 0
        self._lines, self._answered = lines, answered
        self._segments = (SegmentSize(name, size),)

    def request(self, form: type[PageAnswer], verb: str, request: Mapping[str, Any]) -> PageAnswer:
        self.asked += 1
        lines = self._lines if request["read"] else ""
        return PageAnswer(None, self._segments, {}, self._answered, lines)


class Quiet:
    """A job that nobody watches."""

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Report nothing."""


def pages(board: Board, most_mb: float = 1.0) -> RecordPages:
    return RecordPages(cast("Any", board), cast("Any", Quiet()), most_mb)


def test_a_record_without_end_is_left() -> None:
    board = Board("x" * 99_999 + "\n")
    with pytest.raises(TargetError, match="more than 1 MB"):
        list(pages(board))
    assert board.asked < 15


@pytest.mark.parametrize("name", ["../../x", "a.jsonl", "000001-2026-12-01.jsonl/../x", ""])
def test_a_name_of_no_segment(name: str) -> None:
    with pytest.raises(TargetError, match="name that none can have"):
        list(pages(Board("x\n", name)))


def test_a_part_that_was_not_asked_for() -> None:
    with pytest.raises(TargetError, match="another part"):
        list(pages(Board("x\n", answered="000009-2026-12-01.jsonl")))


def test_half_a_line() -> None:
    with pytest.raises(TargetError, match="another part"):
        list(pages(Board("x\ny")))


def test_bytes_that_are_not_sent_are_a_fault() -> None:
    assert list(pages(Board("", size=1_000_000))) == [(b"", NAME, 1)]
