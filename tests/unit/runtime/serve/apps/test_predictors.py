"""Lines of text that run together, and those that run alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from studio.runtime.apps.settings import AppError
from studio.runtime.serve.apps.predictors import ServedPredictor
from studio.runtime.serve.decoders.decoder import Decoder
from studio.runtime.serve.decoders.settings import OutputSettings
from studio.runtime.serve.images.preprocess import Preprocess

STEPS = Preprocess(resize="height", height=8, min_width=16, scale=1.0)
_LETTERS = "abcdefgh"


class Session:
    """A recogniser that reads one letter: the brightness of the first pixel."""

    def __init__(self, free_rows: bool) -> None:
        self.free_rows = free_rows
        self.shapes: list[tuple[int, ...]] = []

    def run(self, feeds: Mapping[str, np.ndarray], outputs: Any) -> list[np.ndarray]:
        (array,) = feeds.values()
        self.shapes.append(array.shape)
        likely = np.zeros((len(array), 3, len(_LETTERS) + 1), np.float32)
        likely[:, 0, 0] = likely[:, 2, 0] = 1
        for row, line in enumerate(array):
            likely[row, 1, 1 + int(line[0, 0, 0])] = 1
        return [likely]


def predictor(session: Session, steps: Preprocess | None = STEPS) -> ServedPredictor:
    decoder = Decoder(OutputSettings("text"), (), tuple(_LETTERS))
    model: Any = SimpleNamespace(
        name="letters",
        source=SimpleNamespace(decoder=decoder, preprocess=steps),
        inputs={"x": None},
        outputs={"y": None},
        picture_size=None,
        batch_rows=1,
        session=session,
    )
    return ServedPredictor(model)


def lines(*widths: int) -> list[np.ndarray]:
    return [np.full((8, width, 3), at, np.uint8) for at, width in enumerate(widths)]


def test_lines_of_like_width_run_together_and_keep_their_order() -> None:
    session = Session(free_rows=True)
    found = predictor(session).lines(lines(50, 10, 40, 12, 60), 2)
    assert [one["text"] for one in found] == ["a", "b", "c", "d", "e"]
    assert session.shapes == [(2, 3, 8, 16), (2, 3, 8, 50), (1, 3, 8, 60)]


def test_a_model_for_one_row_is_given_the_same_widths() -> None:
    session = Session(free_rows=False)
    found = predictor(session).lines(lines(50, 10, 40), 2)
    assert [one["text"] for one in found] == ["a", "b", "c"]
    assert session.shapes == [(1, 3, 8, 40), (1, 3, 8, 40), (1, 3, 8, 50)]


def test_alone_each_line_has_its_own_width() -> None:
    session = Session(free_rows=True)
    predictor(session).pictures(lines(50, 10))
    assert session.shapes == [(1, 3, 8, 50), (1, 3, 8, 16)]


def test_no_lines_are_no_run() -> None:
    session = Session(free_rows=True)
    assert predictor(session).lines([], 6) == []
    assert session.shapes == []


def test_a_model_without_steps_takes_no_lines() -> None:
    with pytest.raises(AppError, match="takes no pictures"):
        predictor(Session(free_rows=True), None).lines(lines(10), 6)
