"""Labels held against what a model gives."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from studio.api import InvalidData
from studio.packages.golden import GoldenSample, check_labels


def sample(*shapes: tuple[int, ...], kind: str = "float32") -> GoldenSample:
    return GoldenSample({}, {f"y{i}": numpy.zeros(s, kind) for i, s in enumerate(shapes)})


@pytest.mark.parametrize(
    ("count", "shapes", "fits"),
    [
        (10, [(1, 10)], True),
        (9, [(1, 10)], True),  # a background class
        (3, [(1, 10)], False),
        (5, [(1, 10)], False),
        (11, [(1, 10)], False),
        (18383, [(1, 40, 18385)], True),  # text: a blank and a space
        (80, [(1, 84, 8400)], True),  # boxes
        (80, [(1, 25200, 85)], True),
        (80, [(1, 84, 8400), (1, 32, 160, 160)], True),
        (20, [(1, 84, 8400)], False),
        (5, [(1,), (1, 1)], True),  # no axis of scores
    ],
)
def test_labels_have_room(
    count: int, shapes: list[tuple[int, ...]], fits: bool, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"name {i}\n" for i in range(count)))
    if fits:
        check_labels(labels, [sample(*shapes)])
    else:
        with pytest.raises(InvalidData, match=f"labels.txt has {count} labels, and the model's"):
            check_labels(labels, [sample(*shapes)])


def test_numbers_of_classes_say_nothing(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\n")
    check_labels(labels, [sample((1, 100), kind="int64")])
    check_labels(None, [sample((1, 100))])


def test_labels_that_are_no_text(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidData, match="is no text in UTF-8"):
        check_labels(labels, [sample((1, 3))])
