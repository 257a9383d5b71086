"""What was found by trying is used again, and only where it still holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.runtime.serve.engine import served_model as loading
from studio.runtime.serve.engine.served_model import load
from studio.runtime.serve.engine.source import from_bundle
from studio.runtime.serve.engine.tuning import TuningCache, TuningResult
from tests.rigs.bundles import make_bundle

FOUND = TuningResult(0.004, 1, False, 8)


def test_it_comes_back_under_the_same_conditions_alone(tmp_path: Path) -> None:
    path = tmp_path / "tried.json"
    TuningCache(path, "1.23 cores 2").store("a", FOUND)
    assert TuningCache(path, "1.23 cores 2").recall("a") == FOUND
    assert TuningCache(path, "1.23 cores 4").recall("a") is None
    assert TuningCache(path, "1.23 cores 2").recall("b") is None
    assert [one.name for one in tmp_path.iterdir()] == ["tried.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[1]",
        '{"a": 1}',
        '{"a": {"conditions": "x"}}',
        '{"a": {"conditions": "x", "s": 1}}',
    ],
)
def test_a_damaged_file_is_no_reason_not_to_serve(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tried.json"
    path.write_text(content)
    tried = TuningCache(path, "x")
    assert tried.recall("a") is None
    tried.store("a", FOUND)
    assert tried.recall("a") == FOUND


def test_a_place_that_takes_no_file_is_none_either(tmp_path: Path) -> None:
    for path in (None, tmp_path / "no" / "such" / "folder"):
        tried = TuningCache(path, "x")
        tried.store("a", FOUND)
        assert tried.recall("a") is None


def test_the_newest_are_kept(tmp_path: Path) -> None:
    tried = TuningCache(tmp_path / "tried.json", "x")
    for number in range(20):
        tried.store(str(number), FOUND)
    kept = json.loads((tmp_path / "tried.json").read_text())
    assert list(kept) == [str(number) for number in range(12, 20)]


def test_a_release_that_was_served_before_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = from_bundle(make_bundle(tmp_path).folder)
    tried = TuningCache(tmp_path / "tried.json", "x")
    first = load(source, tried=tried)

    def never(*_: object) -> None:
        raise AssertionError("it was tried again")

    monkeypatch.setattr(loading, "_try", never)
    again = load(source, tried=tried)
    assert again.execution == first.execution
    assert again.batch_rows == first.batch_rows
    assert (again.session.threads, again.session.arena) == (
        first.session.threads,
        first.session.arena,
    )
    with pytest.raises(AssertionError, match="tried again"):
        load(source, tried=TuningCache(tmp_path / "tried.json", "another computer"))
