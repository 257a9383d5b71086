"""What a model does, recognised from its inputs, its outputs and its lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.lazy_dataclass import dataclass
from studio.models.results import Terminal
from studio.projects.results import (
    CLASSIFICATION,
    DETECTION,
    EMBEDDING,
    REGRESSION,
    SEGMENTATION,
    TEXT_GENERATION,
    TEXT_RECOGNITION,
)

METRICS = {CLASSIFICATION: "top1", DETECTION: "map", TEXT_RECOGNITION: "exact"}
"""The metric by which each task is usually judged."""

_BOXES = 4
_CHOSEN = 6
"""Numbers of a box after suppression in the graph: corners, score and class."""

_STRIDES = (8, 16, 32)


@dataclass(frozen=True, slots=True)
class RecognisedTask:
    """A task, with a sentence on what it was recognised by."""

    task: str
    why: str


LANGUAGE_MODEL = RecognisedTask(TEXT_GENERATION, "The file describes a language model")


@dataclass(frozen=True, slots=True)
class Lists:
    """Numbers of lines of a model's lists; None without the list."""

    labels: int | None = None
    dictionary: int | None = None


def recognise(
    inputs: Sequence[Terminal], outputs: Sequence[Terminal], lists: Lists
) -> RecognisedTask | None:
    """Return the task of a model; None where its form fits none, or more than one.

    A form is only taken for a task where little else has it, or where a list agrees: a wrong task
    costs more than none, for it chooses metric and decoding.
    """
    for rule in (_generation, _detection, _text, _segmentation, _vector):
        found = next(rule(inputs, outputs, lists), None)
        if found is not None:
            return found
    return None


def classes_of(outputs: Sequence[Terminal]) -> int | None:
    """Return the length of the last axis of a model's only output; None where it is open."""
    if len(outputs) != 1 or not outputs[0].shape:
        return None
    last = outputs[0].shape[-1]
    return last if isinstance(last, int) else None


def _generation(
    inputs: Sequence[Terminal], outputs: Sequence[Terminal], lists: Lists
) -> Iterator[RecognisedTask]:
    tokens = any(one.name == "input_ids" for one in inputs)
    if tokens and any("logits" in one.name and _rank(one) == 3 for one in outputs):
        yield RecognisedTask(TEXT_GENERATION, "Token ids go in, and logits for each token come out")


def _detection(
    inputs: Sequence[Terminal], outputs: Sequence[Terminal], lists: Lists
) -> Iterator[RecognisedTask]:
    names = " ".join(one.name.lower() for one in outputs)
    boxes = [one for one in outputs if one.shape and one.shape[-1] == _BOXES and _rank(one) >= 2]
    if len(outputs) > 1 and boxes and ("box" in names or "score" in names or "logits" in names):
        yield RecognisedTask(DETECTION, f"The output {boxes[0].name} has four numbers for each box")
    if len(outputs) == 1 and _rank(outputs[0]) == 3 and _pictures(inputs):
        sizes = tuple(size for size in (outputs[0].shape or ())[1:] if isinstance(size, int))
        if len(sizes) == 2 and (sizes[1] == _CHOSEN or set(sizes) & _cells(inputs[0])):
            rows, numbers = sizes if sizes[1] == _CHOSEN else (max(sizes), min(sizes))
            yield RecognisedTask(DETECTION, f"{rows:,} boxes of {numbers} numbers come out")


def _cells(picture: Terminal) -> set[int]:
    """Numbers of candidates of YOLO's heads: one, or three anchors, a cell of three grids."""
    sides = [size for size in (picture.shape or ())[1:] if isinstance(size, int) and size > 4]
    if len(sides) != 2:
        return set()
    cells = sum((sides[0] // stride) * (sides[1] // stride) for stride in _STRIDES)
    return {cells, 3 * cells} if cells else set()


def _text(
    inputs: Sequence[Terminal], outputs: Sequence[Terminal], lists: Lists
) -> Iterator[RecognisedTask]:
    classes = classes_of(outputs)
    if len(outputs) != 1 or _rank(outputs[0]) != 3 or classes is None:
        return
    # The blank of CTC, and a space that dictionaries often leave out.
    if lists.dictionary is not None and 0 <= classes - lists.dictionary <= 2:
        why = f"The output has {classes:,} classes a step, and the dictionary as many characters"
        yield RecognisedTask(TEXT_RECOGNITION, why)


def _segmentation(
    inputs: Sequence[Terminal], outputs: Sequence[Terminal], lists: Lists
) -> Iterator[RecognisedTask]:
    maps = [one for one in outputs if _rank(one) == 4]
    if len(outputs) == 1 and maps and _pictures(inputs):
        yield RecognisedTask(SEGMENTATION, f"The output {maps[0].name} is a map over the picture")


def _vector(
    inputs: Sequence[Terminal], outputs: Sequence[Terminal], lists: Lists
) -> Iterator[RecognisedTask]:
    """One row of numbers a sample: classes, a value, or an embedding."""
    classes = classes_of(outputs)
    if classes is None or _rank(outputs[0]) != 2:
        return
    name = outputs[0].name
    if "embed" in name.lower() or "feature" in name.lower():
        yield RecognisedTask(EMBEDDING, f"The output is called {name}")
    elif classes == 1 and lists.labels is None:
        yield RecognisedTask(REGRESSION, f"The output {name} is one number")
    elif lists.labels == classes:
        yield RecognisedTask(
            CLASSIFICATION, f"The output has {classes:,} classes, and the labels as many names"
        )
    elif any(part in name.lower() for part in ("logit", "prob", "class", "predictions")):
        yield RecognisedTask(CLASSIFICATION, f"The output {name} has {classes:,} classes")


def _rank(terminal: Terminal) -> int:
    return len(terminal.shape) if terminal.shape is not None else 0


def _pictures(inputs: Sequence[Terminal]) -> bool:
    return len(inputs) == 1 and _rank(inputs[0]) == 4
