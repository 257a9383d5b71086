"""Whether onnxruntime keeps the memory of its runs: only where that is quicker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from studio.runtime.serve.engine import tuning as arena
from studio.runtime.serve.engine.served_model import load
from studio.runtime.serve.engine.session import Feeds, ModelSession
from studio.runtime.serve.engine.source import from_file
from tests.unit.runtime.serve import rig

FEEDS = {"x": np.ones((1, 4), np.float32)}


def does_without(path: Path, seconds: float = 1e-4) -> bool:
    return arena.does_without(path, ModelSession(path, 1), seconds, FEEDS)


@pytest.mark.parametrize("pays", [False, True])
def test_the_quicker_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pays: bool
) -> None:
    tried = []

    def judge(lean: ModelSession, rich: ModelSession, feeds: Feeds) -> bool:
        tried.append((lean.arena, rich.arena))
        return pays

    monkeypatch.setattr(arena, "_pays", judge)
    model = load(from_file(rig.constant(tmp_path / "a.onnx", 2.0)), 1)
    assert tried == [(False, True)]
    assert model.session.arena is pays
    assert model.session.run(FEEDS, ["y"])[0].tolist() == [[2.0] * 4]
    model.session.shrink(FEEDS)


def test_neither_a_large_nor_a_slow_model_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = rig.constant(tmp_path / "a.onnx", 2.0)
    monkeypatch.setattr(arena, "_pays", lambda *given: False)
    assert does_without(path)
    assert not does_without(path, seconds=0.1)
    monkeypatch.setattr(arena, "_SMALL", 100)
    assert not does_without(path)


@pytest.mark.parametrize(
    ("lean", "rich", "pays"),
    [
        ([1.0], [1.0], False),
        ([1.0], [0.97], False),
        ([1.0], [0.9], True),
        ([1.3, 1.0], [0.9], True),
        ([1.3, 1.3, 0.9], [0.9], False),  # two rounds of it were disturbed
    ],
)
def test_one_disturbed_round_decides_nothing(
    monkeypatch: pytest.MonkeyPatch, lean: list[float], rich: list[float], pays: bool
) -> None:
    def times(first: list[float]) -> Iterator[float]:
        yield from [1.0, *first]  # the first run warms up
        while True:
            yield first[-1]

    rounds = {"lean": times(lean[:1] + lean), "rich": times(rich)}
    monkeypatch.setattr(arena, "_round", lambda session, feeds, runs: next(rounds[session]))
    assert arena._pays("lean", "rich", {}) is pays  # type: ignore[arg-type]
