"""Frames of a stream: what they are made of, where they come from, how a picture becomes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy
from numpy.typing import NDArray

from studio.api import Feeds, InvalidData, Value
from studio.datasets import Preprocess
from studio.datasets.fit import conform
from studio.datasets.preprocess import Placement

Picture = NDArray[numpy.uint8]
"""Height × width × 3, RGB."""


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """What a frame turns out to be once it is read and prepared.

    Attributes:
        picture: What is shown; None for arrays that are no picture.
        placement: Where the picture lies in the model's input; None for arrays.
    """

    feeds: Feeds
    picture: Picture | None
    placement: Placement | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, not read or prepared yet: that is part of the time until its answer.

    Attributes:
        name: A file's name, or its number within the source.
    """

    name: str
    shoot: Callable[[], PreparedFrame]


class Source(Protocol):
    """Frames in order.

    Attributes:
        fps: Its own pace; 0 where it has none, so that nobody waits and nothing is dropped.
        is_live: Frames come by themselves (a camera), whether or not somebody takes them.
        title: For people.
    """

    fps: float
    is_live: bool
    title: str

    def __iter__(self) -> Iterator[Frame]: ...


class Camera:
    """Turns pictures into frames for one model.

    Raises:
        InvalidData: when nothing says how a picture becomes the input, or the model has several.
    """

    def __init__(self, inputs: Sequence[Value], preprocess: Preprocess | None) -> None:
        if preprocess is None:
            raise InvalidData(
                "Nothing says how a picture becomes this model's input.",
                hint="Give --preprocess FILE, or deploy the model with its preprocess.toml.",
            )
        if len(inputs) != 1:
            raise InvalidData(
                f"Pictures can only be given to a model with one input; this has {len(inputs)}."
            )
        self._input = inputs[0]
        self._preprocess = preprocess

    def shot(self, picture: Picture, name: str) -> PreparedFrame:
        """Prepare a picture."""
        array = conform(self._preprocess.apply(picture), self._input, name)
        placement = self._preprocess.placement(*picture.shape[:2])
        return PreparedFrame({self._input.name: array}, picture, placement)
