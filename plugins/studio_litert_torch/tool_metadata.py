"""The metadata of a TFLite file: the preparation of pictures, labels, and who made the model.

Used by ``tool.py``: flatbuffers and the standard library alone. Places in the tables are those of
TensorFlow's schema for TFLite metadata (``metadata_schema.fbs``, version 1). Label files are in a
zip archive after the end of the flatbuffer, as that schema has it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import flatbuffers

NAME = b"TFLITE_METADATA"
LABELS = "labels.txt"
_MARK = b"M001"
_PARSER = "1.0.0"
_AXIS_LABELS = 2
_PICTURE, _NORMALIZATION = 2, 1
_COLORS = {"RGB": 1, "GRAY": 2}
_MODEL = {"name": 0, "description": 1, "version": 2, "author": 4, "license": 5}
_ADDRESS = 4


@dataclass
class Preparation:
    """The settings of a ``preprocess.toml`` that metadata have a place for."""

    color: str
    resize: str
    layout: str
    scale: float
    mean: Sequence[float]
    std: Sequence[float]

    def of_pixels(self, values: Sequence[float]) -> list[float]:
        """Return numbers for pixels that are not scaled: the schema has no scale."""
        return [value / self.scale for value in values]


@dataclass
class Facts:
    """The facts that a file is to have.

    Attributes:
        inputs, outputs: Names and shapes, in order; channels of pictures are where the model has
            them.
        texts: ``description``, ``author``, ``license`` and ``version``, those that are known.
        preparation: Of pictures; None without one.
    """

    inputs: Sequence[tuple[str, Sequence[int]]]
    outputs: Sequence[tuple[str, Sequence[int]]]
    texts: Mapping[str, str] = field(default_factory=dict)
    labels: Sequence[str] = ()
    preparation: Preparation | None = None

    @property
    def labelled(self) -> int | None:
        """Place of the output that has a value for each label; None without one."""
        sizes = [shape[-1] if shape else 0 for _, shape in self.outputs]
        return sizes.index(len(self.labels)) if len(self.labels) in sizes and self.labels else None

    @property
    def picture(self) -> int | None:
        """Place of the input that is a picture whose preparation can be written."""
        known = self.preparation
        if known is None or known.color not in _COLORS or not known.scale:
            return None
        places = [at for at, (_, shape) in enumerate(self.inputs) if len(shape) == 4]
        return places[0] if len(places) == 1 else None

    def problems(self) -> Iterator[str]:
        """Say what the metadata cannot have."""
        if self.labels and self.labelled is None:
            count = len(self.labels)
            yield f"No output has a value for each of the {count} labels, so the file has none."
        if self.preparation and self.picture is None:
            yield "The metadata of TFLite cannot express this preprocessing, so the file has none."


def encoded(facts: Facts) -> bytes:
    """Return the metadata."""
    return _Writer(facts).finish()


def append_labels(path: str, labels: Sequence[str]) -> None:
    """Append the archive with the labels to a file."""
    about = zipfile.ZipInfo(LABELS)  # whose date is fixed, so that the same model gives equal bytes
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(about, "".join(f"{one}\n" for one in labels))


class _Writer:
    """A writer of the tables."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._builder = flatbuffers.Builder(1024)

    def finish(self) -> bytes:
        facts = self._facts
        graph = {
            2: self._list([self._input(at) for at in range(len(facts.inputs))]),
            3: self._list([self._output(at) for at in range(len(facts.outputs))]),
        }
        model = {3: self._list([self._table(graph)]), 7: self._text(_PARSER)}
        model |= {_MODEL[key]: self._text(facts.texts[key]) for key in _MODEL if key in facts.texts}
        self._builder.Finish(self._table(model), _MARK)
        return bytes(self._builder.Output())

    def _input(self, at: int) -> int:
        known, (name, shape) = self._facts.preparation, self._facts.inputs[at]
        fields = {0: self._text(name)}
        if known is not None and at == self._facts.picture:
            about = f"Picture, resize {known.resize}, layout {known.layout}"
            fields |= {1: self._text(about), 3: self._picture(known, shape)}
            fields[4] = self._list([self._normalization(known)])
        return self._table(fields)

    def _output(self, at: int) -> int:
        fields = {0: self._text(self._facts.outputs[at][0])}
        if at == self._facts.labelled:
            file = self._table({0: self._text(LABELS)}, {2: _AXIS_LABELS})
            fields[6] = self._list([file])
        return self._table(fields)

    def _picture(self, known: Preparation, shape: Sequence[int]) -> int:
        height, width = shape[2:] if known.layout == "NCHW" else shape[1:3]
        self._builder.StartObject(2)
        self._builder.PrependUint32Slot(0, int(width), 0)
        self._builder.PrependUint32Slot(1, int(height), 0)
        size = self._builder.EndObject()
        picture = self._table({1: size}, {0: _COLORS[known.color]})
        return self._table({1: picture}, {0: _PICTURE})

    def _normalization(self, known: Preparation) -> int:
        lists = [self._floats(known.of_pixels(one)) for one in (known.mean, known.std)]
        options = self._table(dict(enumerate(lists)))
        return self._table({1: options}, {0: _NORMALIZATION})

    def _text(self, text: str) -> int:
        return int(self._builder.CreateString(text))

    def _list(self, places: Sequence[int]) -> int:
        self._builder.StartVector(_ADDRESS, len(places), _ADDRESS)
        for place in reversed(places):
            self._builder.PrependUOffsetTRelative(place)
        return int(self._builder.EndVector())

    def _floats(self, values: Sequence[float]) -> int:
        self._builder.StartVector(_ADDRESS, len(values), _ADDRESS)
        for value in reversed(values):
            self._builder.PrependFloat32(value)
        return int(self._builder.EndVector())

    def _table(self, places: Mapping[int, int], numbers: Mapping[int, int] | None = None) -> int:
        """Write a table of addresses, and of numbers of a byte."""
        small = numbers or {}
        self._builder.StartObject(max((*places, *small)) + 1)
        for slot, place in places.items():
            self._builder.PrependUOffsetTRelativeSlot(slot, place, 0)
        for slot, number in small.items():
            self._builder.PrependUint8Slot(slot, number, 0)
        return int(self._builder.EndObject())
