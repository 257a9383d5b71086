"""Whether onnxruntime keeps the memory of its runs: only where that is quicker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from studio.runtime.serve import arena
from studio.runtime.serve.errors import LoadError
from studio.runtime.serve.session import Feeds, ModelSession
from tests.unit.runtime.serve import rig


def chosen(path: Path, golden: list[Feeds] | None = None) -> ModelSession:
    return arena.session_of(path, 1, lambda session: golden or [])


@pytest.mark.parametrize("pays", [False, True])
def test_the_quicker_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pays: bool
) -> None:
    monkeypatch.setattr(arena, "_pays", lambda lean, rich, feeds: pays)
    session = chosen(rig.constant(tmp_path / "a.onnx", 2.0))
    assert session.arena is pays
    assert session.run({"x": np.ones((1, 4), np.float32)}, ["y"])[0].tolist() == [[2.0] * 4]
    session.shrink({"x": np.ones((1, 4), np.float32)})


def test_a_large_model_is_not_loaded_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena, "_SMALL", 100)
    monkeypatch.setattr(arena, "_pays", lambda *given: pytest.fail("it was tried"))
    assert chosen(rig.constant(tmp_path / "a.onnx", 2.0)).arena


def test_a_model_that_cannot_be_tried_is_as_ever(tmp_path: Path) -> None:
    wrong: Feeds = {"x": np.ones((1, 5), np.float32)}
    assert chosen(rig.constant(tmp_path / "a.onnx", 2.0), [wrong]).arena


def test_a_damaged_model_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(LoadError, match=r"cannot load a\.onnx"):
        chosen(path)


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
