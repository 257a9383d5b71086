"""Kinds of sources, steps and sinks, as an app names them."""

from __future__ import annotations

from typing import (
    Any,
    Callable,
    FrozenSet,
    Iterable,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Type,
)

import numpy as np

from .items import Event, FrameStamp, StepOutput


class Predictor(Protocol):
    """A model with a meaning at its end.

    Attributes:
        task: As in ``outputs.toml``; empty without one.
        batch: Samples that may run together; 1: each alone.
    """

    task: str
    batch: int

    def pictures(self, pixels: Sequence[np.ndarray]) -> Sequence[Any]:
        """Return the meaning of each picture (height x width x 3, RGB, uint8).

        ``PictureObjects`` for detectors; otherwise plain data, as ``/predict`` answers.
        """

    def lines(self, pixels: Sequence[np.ndarray], most: int) -> Sequence[Any]:
        """Return the meaning of each line of text; up to ``most`` of like width run together."""

    def arrays(self, feeds: Mapping[str, np.ndarray]) -> Mapping[str, Any]:
        """Return the meaning of one sample of arrays; an empty name is the only input."""


class AppContext(Protocol):
    """Services of an app for its parts."""

    def predictor(self, name: str) -> Predictor:
        """Return a model of the app.

        Raises:
            AppError: when it has no such model.
        """

    def file(self, name: str) -> str:
        """Return the path of a file of the app, or of the board.

        Raises:
            AppError: when it is not there.
        """

    def output(self, name: str) -> str:
        """Return the path of a file to write: in the folder of the app's data, or of the board."""


class StepProcessor(Protocol):
    """One step at work on the frames of one source; keeps what it needs between frames."""

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Return what follows from the value of one frame, or from its events."""


class FinishingStep(StepProcessor, Protocol):
    """Step with something to say at the end of a recording."""

    def finish(self, stamp: FrameStamp) -> StepOutput:
        """Return what is left at the end."""


class BatchStep(StepProcessor, Protocol):
    """Step that takes the frames of several sources at once."""

    def process_batch(
        self, stamps: Sequence[FrameStamp], values: Sequence[Any]
    ) -> Sequence[StepOutput]:
        """Return what follows from each value."""


class StepType(NamedTuple):
    """A kind of step.

    Attributes:
        takes: Kinds of values that it can be given, each alone.
        gives: What it gives besides events; empty for nothing.
        follows: It gives the kind that it is given.
        make: Of the settings and the context, once for each source.
        shared: One processor serves all sources.
    """

    name: str
    summary: str
    takes: FrozenSet[str]
    gives: FrozenSet[str]
    settings: Type[Any]
    make: Callable[[str, Any, AppContext], StepProcessor]
    shared: bool = False
    follows: bool = False


class SourceFrame(NamedTuple):
    """One picture, or one piece of a signal, as a source has read it.

    Attributes:
        data: A picture (height x width x 3, RGB, uint8) or readings (samples x channels, float32).
        time: Seconds in the recording; None for what happens now.
    """

    data: np.ndarray
    time: Optional[float] = None


IDLE = SourceFrame(np.empty(0, np.uint8))
"""No frame yet: given by a source that waits in vain, so that its reader can stop."""


class Capture(Protocol):
    """A source that is open and can be read."""

    def read(self) -> Optional[SourceFrame]:
        """Return the next frame, ``IDLE`` after a while without one, or None at the end.

        Raises:
            OSError: in words for people, when it can read no more. A live source is opened again.
        """

    def close(self) -> None:
        """Let go of it."""


class SourceType(NamedTuple):
    """A kind of source.

    Attributes:
        gives: ``pictures`` or ``signal``.
        is_live: Whether it runs in real time, so that frames that come too fast are dropped.
        open: Of the settings and the context; may block, and raises OSError.
        requirements: Distributions that it needs on a target: name and version.
        room: Frames of a live source that may wait for the engine; the oldest are dropped beyond.
    """

    name: str
    summary: str
    gives: str
    settings: Type[Any]
    is_live: Callable[[Any], bool]
    open: Callable[[Any, AppContext], Capture]
    requirements: Mapping[str, str] = {}
    room: int = 1


class RefusedError(OSError):
    """Events that a receiver will never accept, with its reason in words for people."""


class Delivery(Protocol):
    """A sink at work."""

    def deliver(self, events: Sequence[Event]) -> None:
        """Deliver some events; when it returns, they are there.

        Raises:
            RefusedError: when the receiver will never accept them. They are put aside.
            OSError: when they are not there, in words for people. They are delivered again later.
        """

    def close(self) -> None:
        """Let go of what it holds."""


class SinkType(NamedTuple):
    """A kind of sink.

    Attributes:
        make: Of the name, the settings and the context; must not block.
        takes_pictures: Its input is a source, of which it shows the pictures, and no events.
    """

    name: str
    summary: str
    settings: Type[Any]
    make: Callable[[str, Any, AppContext], Delivery]
    requirements: Mapping[str, str] = {}
    takes_pictures: bool = False


def kinds(*names: str) -> FrozenSet[str]:
    """Return a set of kinds of values."""
    return frozenset(names)


def events_of(
    kind: str, step: str, stamp: FrameStamp, rows: Iterable[Mapping[str, Any]]
) -> Tuple[Event, ...]:
    """Return events of one kind, one for each row of details."""
    return tuple(Event(kind, step, stamp, row) for row in rows)
