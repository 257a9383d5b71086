"""Names of a model as the window shows them."""

from __future__ import annotations

import pytest

from studio.gui.graph.breadcrumbs import steps_to
from studio.gui.graph.search_results import grouped
from studio.gui.names import LONGEST, shown
from studio.workspace import SearchResult


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/encoder/layer.3/MatMul", "/encoder/layer.3/MatMul"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("two\nlines\tand\x07", "two\ufffdlines\ufffdand\ufffd"),
        ("עברית عربي 字", "עברית عربي 字"),
        ("half\ud800", "half\ufffd"),
        ("", ""),
    ],
)
def test_names_are_one_line_and_not_reversed(name: str, expected: str) -> None:
    assert shown(name) == expected


def test_long_names_lose_their_middle() -> None:
    assert shown("a" * 10_000_000 + "z") == f"{'a' * 120}…{'a' * 119}z"
    assert len(shown("b" * LONGEST)) == LONGEST


def test_lists_and_trails_show_names_so() -> None:
    hit = SearchResult("", "", "node", "Relu", "a\nb", "tensor", "c\u202e")
    assert [line.text for line in grouped([hit])] == ["1", "c\ufffd · a\ufffdb"]
    assert steps_to("If\n0/then", {"If\n0/then"}) == [("If\n0/then", "If\ufffd0 · then")]
