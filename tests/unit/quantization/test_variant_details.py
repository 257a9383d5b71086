"""The details of a variant: its layers, and samples that it reads otherwise, drawn."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy
import PIL.Image
import pytest

from studio.api import Array, Feeds, Sample, Silent, Transformed
from studio.datasets.input_preview import MOST_POINTS, drawn
from studio.datasets.results import DrawnInput
from studio.documents.dataclass_json import from_json
from studio.models.results import Answer
from studio.quantization.results import ComparedSample, VariantDetails
from studio.quantization.variant_details import SHOWN, disagreements, write_details


class Scores:
    """A session that gives its input with some noise."""

    input_names = output_names = ("x",)

    def __init__(self, noise: float) -> None:
        self._noise = noise

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        return {"y": feeds["x"] + self._noise * numpy.array([[1, 0, 0]])}

    def close(self) -> None:
        """Nothing to free."""


class Rows:
    """Samples of three scores each."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Sample]:
        for index in range(self._count):
            yield Sample({"x": numpy.array([[0.1, 0.5, 0.4]]) * (index + 1)}, 1, f"#{index}")


def test_lost_samples_come_first_with_both_answers() -> None:
    named = {"#7": "gained", "#3": "lost"}
    rows = disagreements(Scores(0), Scores(2.0), Rows(9), named, None, Silent())
    assert [(row.name, row.state) for row in rows[:3]] == [
        ("#3", "lost"),
        ("#7", "gained"),
        ("#0", "differs"),
    ]
    assert rows[-1].state == "agrees"
    assert rows[0].before.classes[0].label == "1"
    assert rows[0].after.classes[0].label == "0"
    assert rows[0].label == "1"


def test_without_names_the_worst_of_the_first_are_shown() -> None:
    rows = disagreements(Scores(0), Scores(0.1), Rows(100), {}, None, Silent())
    assert len(rows) == SHOWN
    assert rows[0].name == "#0"  # the smallest signal under the same noise
    assert rows[0].sqnr_db < rows[-1].sqnr_db


def test_equal_outputs_have_the_highest_ratio() -> None:
    rows = disagreements(Scores(0), Scores(0), Rows(1), {}, None, Silent())
    assert rows[0].sqnr_db == 200


def test_the_file_has_layers_and_samples(tmp_path: Path) -> None:
    made = Transformed(tmp_path, "int8", {}, [{"name": "conv", "precision": "int8"}])
    answers = Answer("text", text="a", score=0.5), Answer("values", values=("y: 1",))
    drawn_input = DrawnInput("text", lines=("x: 1",))
    sample = ComparedSample("#1", "lost", None, 3.0, drawn_input, *answers)
    name = write_details(tmp_path, made, [sample])
    document = json.loads((tmp_path / name).read_text())
    assert document == {
        "layers": [{"name": "conv", "precision": "int8"}],
        "samples": [
            {
                "name": "#1",
                "state": "lost",
                "label": None,
                "sqnr_db": 3.0,
                "input": {"kind": "text", "lines": ["x: 1"]},
                "before": {"kind": "text", "text": "a", "score": 0.5},
                "after": {"kind": "values", "values": ["y: 1"]},
            }
        ],
    }
    read = from_json(VariantDetails, document)
    assert (read.layers[0].name, read.samples) == ("conv", (sample,))


@pytest.mark.parametrize("shape", [(1, 1, 6, 8), (1, 3, 6, 8), (1, 6, 8, 3), (1, 6, 8, 1)])
def test_pictures_are_drawn_from_their_lowest_to_their_highest_value(shape: tuple[int]) -> None:
    shown = drawn({"x": numpy.linspace(-2, 5, numpy.prod(shape)).reshape(shape)})
    image = PIL.Image.open(io.BytesIO(base64.b64decode(shown.png)))
    assert image.size == (8, 6)
    assert numpy.asarray(image).min() == 0
    assert numpy.asarray(image).max() == 255
    assert shown.lines[0].endswith("-2 to 5")


def test_other_inputs_are_curves_or_texts() -> None:
    curve = drawn({"x": numpy.arange(1000.0)[None]})
    assert curve.kind == "curve"
    assert 2 <= len(curve.values) <= MOST_POINTS
    text = drawn({"ids": numpy.array([["a", "b"]]), "mask": numpy.ones((2, 2))})
    assert text == DrawnInput("text", lines=("ids: a, b", "mask: 2×2, 1 to 1"))
    assert drawn({"x": numpy.zeros((1, 3, 4, 4))}).kind == "picture"
