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
class FoundPoint:
    """A key point of an object; its place is in fractions of the picture's size."""

    x: float
    y: float
    score: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class FoundCells:
    """Cells that span an area evenly, as run lengths row by row.

    Attributes:
        runs: Of a mask: cells outside, inside, and so on. Of a map: class and length of each run.
        box: The area, in fractions of the picture's size; of a mask it is that of its object.
    """

    width: int
    height: int
    runs: tuple[int, ...]
    box: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundBox:
    """An object in the picture; its sides are fractions of the picture's size.

    Attributes:
        corners: Of a tilted box, x and y of each.
        points: Those that are likely enough to be drawn.
    """

    box: tuple[float, ...]
    label: str
    score: float
    index: int = optional(0)
    points: tuple[FoundPoint, ...] | None = optional()
    mask: FoundCells | None = optional()
    corners: tuple[float, ...] | None = optional()


@dataclass(frozen=True, slots=True)
class FrameAnswer:
    """A model's answer for one frame; only the field of its kind is set.

    Attributes:
        kind: ``classes``, ``text``, ``boxes``, ``map`` or ``values``.
        task: What the outputs mean, where an ``outputs.toml`` or their form gives it.
        recognised: Whether it was recognised, as there is no ``outputs.toml``.
        raw: One line for each output.
    """

    kind: str
    classes: tuple[ClassScore, ...] | None = optional()
    text: str | None = optional()
    score: float | None = optional()
    boxes: tuple[FoundBox, ...] | None = optional()
    values: tuple[str, ...] | None = optional()
    map: FoundCells | None = optional()
    task: str = optional("")
    recognised: bool = optional(False)
    raw: tuple[str, ...] | None = optional()


@dataclass(frozen=True, slots=True)
class FrameReport:
    """An answered frame, as a running step reports it.

    Attributes:
        name: Name of the file, or number of the frame.
        latency_ms: From the capture of the frame to its answer.
        fps: Answered frames a second so far.
        picture: The frame as a small JPEG or PNG in base64, with its real size.
        request: Id by which a person can override the answer, where the server records answers.
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
    request: str = optional("")


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
