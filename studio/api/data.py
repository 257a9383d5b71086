"""Samples for calibration, evaluation and golden tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Array = NDArray[numpy.generic]
else:
    Array = Any

Feeds = Mapping[str, Array]
"""One array for each input of the model, each with its batch axis."""

Truth = int | str | Feeds
"""What is right for a sample: a class number, a text, or the outputs of another model."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One example: what goes in, and what should come out where that is known.

    Attributes:
        label: A class number, a text, or None.
        name: Where it came from (a file's name, an index).
    """

    feeds: Feeds
    label: int | str | None = None
    name: str = ""


class Dataset(Protocol):
    """Samples that can be read again and again, one at a time."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Sample]: ...
