"""A first ``outputs.toml`` of a model, recognised from the shapes and values of its outputs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy

from studio.api import Array, InvalidData, InvalidModel
from studio.datasets.output_settings import read_outputs
from studio.lazy_dataclass import dataclass
from studio.models.outputs.object_heads import object_heads
from studio.runtime.serve.decoders.decoder import Decoder
from studio.runtime.serve.decoders.settings import OutputSettings
from studio.runtime.serve.outputs.detections import listed_boxes, sums_to_one, unit
from studio.runtime.serve.outputs.segmentation import map_of

_STRIDES = ((8, 16, 32), (8, 16, 32, 64))
_MOST_QUERIES = 1000
"""A DETR has hundreds of queries, other detectors thousands of places."""

_SCORES = ("logit", "prob", "class", "softmax", "score")
_RAW = 50.0
"""Offsets from a cell are smaller than this, boxes in pixels are not."""

_COMMENTS = {
    "task": "What the outputs mean",
    "head": "Form of the detector's outputs",
    "strides": "Pixels of a cell on each level",
    "offset": "Middle of a cell: 0.5 for PicoDet, 0 for NanoDet-Plus",
    "background": "The class for nothing: none, first or last",
    "threshold": "Least score",
    "overlap": "Boxes of one class that cover each other by more are one object",
    "activation": "auto, none, sigmoid or softmax",
    "refer": "Probabilities between these two are left to a person",
    "unit": "Of the values",
    "blank": "Class for no character",
    "point_score": "Least score of a key point that counts",
    "mask_score": "Least likelihood of a pixel of a mask",
}
Choice = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AnsweredSample:
    """Outputs of a model for one sample, and what is known about it.

    Attributes:
        outputs: Arrays by name, with a batch of one.
        size: Height and width of the input, where it takes pictures.
        labels: Names of the classes.
        characters: Of the dictionary.
    """

    outputs: Mapping[str, Array]
    size: tuple[int, int] | None = None
    labels: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()


def draft_outputs(sample: AnsweredSample) -> str:
    """Return the text of an ``outputs.toml``.

    Raises:
        InvalidModel: when the outputs have no form that is known.
    """
    choice = recognised_choice(sample)
    if choice is not None:
        return outputs_text(choice)
    shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in sample.outputs.items())
    raise InvalidModel(
        f"The outputs have no form that is known: {shapes}.",
        hint="Write the outputs.toml yourself; docs/outputs.md has its settings.",
    )


def recognised_outputs(sample: AnsweredSample) -> OutputSettings | None:
    """Return the settings of an ``outputs.toml``; None where the outputs have no known form."""
    choice = recognised_choice(sample)
    return None if choice is None else OutputSettings.from_json(choice)


def recognised_choice(sample: AnsweredSample) -> Choice | None:
    """Return the keys of an ``outputs.toml``; None where the outputs have no known form."""
    return next((choice for choice in _choices(sample) if _fits(choice, sample)), None)


def check_outputs(path: Path, sample: AnsweredSample) -> None:
    """Decode a sample by an ``outputs.toml``, before an endpoint has to.

    Raises:
        InvalidData: when the file cannot be read, or the outputs do not have its form.
    """
    check_settings(read_outputs(path), sample, path.name)


def check_settings(settings: OutputSettings, sample: AnsweredSample, name: str) -> None:
    """Decode a sample by settings.

    Args:
        name: Of the settings, for the sentence of an error.

    Raises:
        InvalidData: when the outputs do not have their form.
    """
    try:
        Decoder(settings, sample.labels, sample.characters).decode(sample.outputs, sample.size)
    except ValueError as error:
        raise InvalidData(f"{name} does not fit the model: {error}") from None


def _choices(sample: AnsweredSample) -> Iterator[Choice]:
    """Return settings that may be right, the surest first."""
    if sample.characters:
        yield {"task": "text", "blank": 0}
    if sample.size is not None:
        yield from object_heads(sample.outputs, sample.size)
        yield from _detectors(sample, sample.size)
        yield from _maps(sample)
    yield from _rows(sample)


def _detectors(sample: AnsweredSample, size: tuple[int, int]) -> Iterator[Choice]:
    limits: Choice = {"threshold": 0.4, "overlap": 0.5}
    tables = [array for array in sample.outputs.values() if array.ndim == 3 and len(array) == 1]
    if listed_boxes(sample.outputs) is not None:
        yield {"task": "detection", "head": "boxes", "threshold": 0.4}
    if len(tables) == 1:
        yield from ({**choice, **limits} for choice in _one_table(tables[0], size))
    for strides in _STRIDES:
        offset = 0.0 if len(tables) == 1 else 0.5
        head = {"task": "detection", "head": "gfl", "strides": strides, "offset": offset}
        if len(tables) in (1, 2 * len(strides)):
            yield {**head, **limits}
    if len(tables) == 2:
        few = max(table.shape[1] for table in tables) <= _MOST_QUERIES
        head = {"task": "detection", "head": "detr" if few else "tables", "background": "none"}
        yield {**head, "activation": "auto", **limits}


def _one_table(table: Array, size: tuple[int, int]) -> Iterator[Choice]:
    """Return the YOLO whose number of places the table has."""
    cells = sum(-(-size[0] // one) * -(-size[1] // one) for one in _STRIDES[0])
    rows, columns = table.shape[1:]
    if columns == cells and rows < columns:
        yield {"task": "detection", "head": "yolov8"}
    elif rows == 3 * cells:
        yield {"task": "detection", "head": "yolov5"}
    elif rows == cells:
        is_raw = float(numpy.abs(table[0, :, :4]).max()) < _RAW
        yield {"task": "detection", "head": "yolox" if is_raw else "yolov5"}


def _maps(sample: AnsweredSample) -> Iterator[Choice]:
    if len(sample.outputs) == 1:
        ((name, array),) = sample.outputs.items()
        if array.dtype.kind == "f" and map_of(name, array) is not None:
            yield {"task": "segmentation", "threshold": 0.5}


def _rows(sample: AnsweredSample) -> Iterator[Choice]:
    """Return the meaning of one row of numbers."""
    for name, array in sample.outputs.items():
        if array.dtype.kind != "f" or not array.size or array.size != max(array.shape, default=1):
            continue
        chosen = {} if len(sample.outputs) == 1 else {"output": name}
        if any(word in name.lower() for word in ("embed", "feature")):
            yield {"task": "embedding", **chosen}
        elif array.size == len(sample.labels) > 1:
            yield {"task": "classification", "activation": "auto", **chosen}
        elif array.size == 1 and unit(array) and "prob" in name.lower():
            yield {"task": "probability", "threshold": 0.5, **chosen}
        elif array.size == 1:
            yield {"task": "regression", "unit": "", **chosen}
        elif sums_to_one(array.reshape(1, -1)) or any(one in name.lower() for one in _SCORES):
            yield {"task": "classification", "activation": "auto", **chosen}


def _fits(choice: Choice, sample: AnsweredSample) -> bool:
    decoder = Decoder(OutputSettings.from_json(choice), sample.labels, sample.characters)
    try:
        decoder.decode(sample.outputs, sample.size)
    except ValueError:
        return False
    return True


def outputs_text(choice: Choice) -> str:
    """Return the text of an ``outputs.toml`` with a comment for each key."""
    lines = [
        "# What an endpoint answers to /v2/models/NAME/predict. Check it with your own samples."
    ]
    for name, value in choice.items():
        comment = _COMMENTS.get(name, "")
        text = list(value) if isinstance(value, tuple) else value
        lines.append(f"{name} = {json.dumps(text)}" + (f"  # {comment}" if comment else ""))
    return "\n".join(lines) + "\n"
