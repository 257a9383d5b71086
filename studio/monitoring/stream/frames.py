"""Frames of a stream, their sources, and the conversion of a picture into a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy
from numpy.typing import NDArray

from studio.api import Feeds, InvalidData, Value
from studio.datasets import Preprocess
from studio.datasets.fit import conform
from studio.lazy_dataclass import dataclass
from studio.runtime.serve.images.preprocess import PicturePlacement

Picture = NDArray[numpy.uint8]
"""Height × width × 3, RGB."""


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame that was read and converted to the model's input.

    Attributes:
        picture: Picture to show; None for arrays that are no picture.
        placement: Position of the picture in the model's input; None for arrays.
    """

    feeds: Feeds
    picture: Picture | None
    placement: PicturePlacement | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that is not read yet, as reading counts towards its latency.

    Attributes:
        name: Name of the file, or number of the frame in its source.
    """

    name: str
    shoot: Callable[[], PreparedFrame]


class Source(Protocol):
    """A source of frames in order.

    Attributes:
        fps: Frame rate of the source; 0 without one: then no frame is dropped.
        is_live: Whether frames arrive whether or not they are read, as from a camera.
        title: Title for people.
    """

    fps: float
    is_live: bool
    title: str

    def __iter__(self) -> Iterator[Frame]: ...


class Camera:
    """A converter of pictures into frames for one model.

    Raises:
        InvalidData: when the preprocessing is unknown, or the model has several inputs.
    """

    def __init__(self, inputs: Sequence[Value], preprocess: Preprocess | None) -> None:
        if preprocess is None:
            raise InvalidData(
                "This model has no image preprocessing.",
                hint="Pass --preprocess FILE, or deploy the model with a preprocess.toml.",
            )
        if len(inputs) != 1:
            raise InvalidData(
                f"Pictures can only be given to a model with one input; this has {len(inputs)}."
            )
        self._input = inputs[0]
        self._preprocess = preprocess

    def shot(self, picture: Picture, name: str) -> PreparedFrame:
        """Convert a picture."""
        array = conform(self._preprocess.apply(picture), self._input, name)
        placement = self._preprocess.placement(*picture.shape[:2])
        return PreparedFrame({self._input.name: array}, picture, placement)
