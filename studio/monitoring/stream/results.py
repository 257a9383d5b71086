"""Result of the step ``stream``, and the answers that it reports while it runs."""

from __future__ import annotations

from collections.abc import Mapping

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.results import Percentiles


@dataclass(frozen=True, slots=True)
class ClassScore:
    """A class with its score."""

    label: str
    index: int
    score: float


@dataclass(frozen=True, slots=True)
class FoundBox:
    """An object in the picture; its sides are fractions of the picture's size."""

    box: tuple[float, ...]
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class FrameAnswer:
    """A model's answer for one frame; only the field of its kind is set.

    Attributes:
        kind: ``classes``, ``text``, ``boxes`` or ``values``.
    """

    kind: str
    classes: tuple[ClassScore, ...] | None = optional()
    text: str | None = optional()
    score: float | None = optional()
    boxes: tuple[FoundBox, ...] | None = optional()
    values: tuple[str, ...] | None = optional()


@dataclass(frozen=True, slots=True)
class FrameReport:
    """An answered frame, as a running step reports it.

    Attributes:
        name: Name of the file, or number of the frame.
        latency_ms: From the capture of the frame to its answer.
        fps: Answered frames a second so far.
        picture: The frame as a small JPEG or PNG in base64, with its real size.
    """

    number: int
    name: str
    latency_ms: float
    answered: int
    dropped: int
    failed: int
    fps: float
    answer: FrameAnswer
    picture: str = optional("")
    width: int = optional(0)
    height: int = optional(0)


@dataclass(frozen=True, slots=True)
class StreamResult:
    """The statistics of frames sent to an endpoint, with the last answer.

    Attributes:
        failures: Number of failures by message.
        latency_ms: From the capture of a frame to its answer.
    """

    target: str
    model: str
    version: str
    source: str
    frames: int
    answered: int
    dropped: int
    failed: int
    failures: Mapping[str, int]
    seconds: float
    fps: float
    latency_ms: Percentiles
    answer: FrameAnswer | None
