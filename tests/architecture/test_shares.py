"""The shares of the processes in a run of the tests."""

from __future__ import annotations

from types import SimpleNamespace

from tests.architecture.checkout import ROOT
from tests.rigs.shares import LONGEST, TOGETHER, Shares, sort_by_length


def test_the_longest_files_are_there_and_each_is_named_once() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)
    assert [name for group in TOGETHER for name in group if not (ROOT / name).exists()] == []


def test_the_longest_are_begun_first_and_the_others_stay_in_their_order() -> None:
    last, first = f"{LONGEST[1]}::test_b", f"{LONGEST[0]}::test_a"
    others = ["tests/unit/b.py::test_b", "tests/unit/a.py::test_a"]
    items = [SimpleNamespace(nodeid=name) for name in (others[0], last, others[1], first)]
    sort_by_length(items)  # type: ignore[arg-type]
    assert [item.nodeid for item in items] == [first, last, *others]


def test_a_file_stays_whole_and_those_that_share_much_stay_together() -> None:
    shares = Shares.__new__(Shares)
    names = ("tests/unit/a.py::test_a", "tests/unit/a.py::Case::test_b[tests/x]")
    assert {shares._split_scope(name) for name in names} == {"tests/unit/a.py"}
    rules = ("tests/architecture/test_names.py::test_a", "tests/architecture/test_words.py::test_b")
    assert {shares._split_scope(name) for name in rules} == {TOGETHER[0][0]}
    engine = [f"{name}::test_a" for name in TOGETHER[1]]
    assert {shares._split_scope(name) for name in engine} == {TOGETHER[1][0]}
