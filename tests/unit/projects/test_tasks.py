"""Tasks are recognised by the forms that models really have, and else not at all."""

from __future__ import annotations

import pytest

from studio.models.results import Terminal
from studio.projects.tasks import Lists, classes_of, recognise

PICTURE = (Terminal("images", "float32", ("batch", 3, 640, 640)),)
TOKENS = (
    Terminal("input_ids", "int64", ("batch", "sequence")),
    Terminal("attention_mask", "int64", ("batch", "sequence")),
)
Shape = tuple[int | str | None, ...]


def outputs(**shapes: Shape | None) -> tuple[Terminal, ...]:
    return tuple(Terminal(name, "float32", shape) for name, shape in shapes.items())


@pytest.mark.parametrize(
    ("inputs", "made", "lists", "task"),
    [
        (PICTURE, outputs(logits=("batch", 1000)), Lists(), "classification"),
        (PICTURE, outputs(output=("batch", 10)), Lists(labels=10), "classification"),
        (PICTURE, outputs(output=("batch", 10)), Lists(), None),
        (PICTURE, outputs(output=("batch", 10)), Lists(labels=9), None),
        (PICTURE, outputs(output0=(1, 84, 8400)), Lists(), "detection"),
        (PICTURE, outputs(output0=(1, 25200, 85)), Lists(), "detection"),
        (PICTURE, outputs(output0=(1, 84, 8000)), Lists(), None),
        (PICTURE, outputs(output0=(1, 300, 6)), Lists(), "detection"),
        (PICTURE, outputs(logits=(1, 100, 92), pred_boxes=(1, 100, 4)), Lists(), "detection"),
        (PICTURE, outputs(boxes=(1, 3000, 4), scores=(1, 3000, 21)), Lists(), "detection"),
        (PICTURE, outputs(a=(1, 20, 4), b=(1, 20, 3)), Lists(), None),
        (PICTURE, outputs(mask=("batch", 21, 512, 512)), Lists(), "segmentation"),
        (PICTURE, outputs(softmax=("batch", 40, 18385)), Lists(), None),
        (PICTURE, outputs(s=("b", 40, 18385)), Lists(dictionary=18383), "text-recognition"),
        (PICTURE, outputs(s=("b", 40, 18385)), Lists(dictionary=18000), None),
        (PICTURE, outputs(embedding=("batch", 512)), Lists(), "embedding"),
        (PICTURE, outputs(score=("batch", 1)), Lists(), "regression"),
        (TOKENS, outputs(logits=("b", "s", 49152)), Lists(), "text-generation"),
        (TOKENS, outputs(logits=("b", 2)), Lists(), "classification"),
        (PICTURE, outputs(y=None), Lists(), None),
        (PICTURE, outputs(y=()), Lists(), None),
        (PICTURE, outputs(y=("batch", "classes")), Lists(labels=3), None),
        ((), (), Lists(), None),
    ],
)
def test_tasks(
    inputs: tuple[Terminal, ...], made: tuple[Terminal, ...], lists: Lists, task: str | None
) -> None:
    seen = recognise(inputs, made, lists)
    assert (seen.task if seen else None) == task
    assert seen is None or seen.why


def test_classes_are_those_of_one_output() -> None:
    assert classes_of(outputs(y=("b", 10))) == 10
    assert classes_of(outputs(y=("b", "n"))) is None
    assert classes_of(outputs(y=("b", 10), z=("b", 2))) is None
