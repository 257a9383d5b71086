"""Summary of a dataset, shown before and after a quantization."""

from __future__ import annotations

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class DrawnInput:
    """The first input of a sample that can be drawn.

    Attributes:
        kind: ``picture``, ``curve`` or ``text``.
        png: The picture, in base64.
        values: Of the curve.
        lines: One for each input.
    """

    kind: str
    png: str = optional("")
    values: tuple[float, ...] = optional(())
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataProblem:
    """The reason why data do not fit a model."""

    problem: str
    hint: str


@dataclass(frozen=True, slots=True)
class InputShape:
    """The shape of an input in the data."""

    name: str
    found: str


@dataclass(frozen=True, slots=True)
class LabelKind:
    """The labels of data: ``class``, ``text`` or None, and how many different ones."""

    kind: str | None
    different: int


@dataclass(frozen=True, slots=True)
class SamplePreview:
    """One sample of the data with its picture."""

    name: str
    label: str | None
    input: DrawnInput


@dataclass(frozen=True, slots=True)
class DataPreview:
    """The contents of data that fit a model."""

    count: int
    inputs: tuple[InputShape, ...]
    labels: LabelKind
    samples: tuple[SamplePreview, ...]
