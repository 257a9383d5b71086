"""A model that a backend has loaded, as the server and the golden check use it."""

from __future__ import annotations

import threading
from typing import (
    Callable,
    Generic,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    TypeVar,
)

import numpy as np

from .providers import CPU_ALONE, Acceleration

Feeds = Mapping[str, np.ndarray]

T = TypeVar("T")

_NAMES = {"float32": "float", "float64": "double"}


class RunOptions(Protocol):
    """Ends its run when ``terminate`` is set."""

    terminate: bool


class Argument(NamedTuple):
    """An input or output of a model.

    Attributes:
        type: As onnxruntime spells it, ``tensor(float)``.
        shape: Sizes of the axes; anything but an integer is an open size. None: no known rank.
    """

    name: str
    type: str
    shape: Optional[Sequence[object]]


class InvalidArgument(Exception):
    """Inputs that the model does not take, by the sizes of their axes."""


Run = Callable[[Sequence[str], Feeds, Optional[RunOptions]], List[np.ndarray]]
"""Runs a model once: names of outputs, inputs by name, and options or None."""


class BackendModel(Protocol):
    """A model in memory; ``run`` is safe for threads."""

    version: str
    """Of the backend."""

    @property
    def inputs(self) -> Sequence[Argument]:
        """Inputs, in the order of the model."""

    @property
    def outputs(self) -> Sequence[Argument]:
        """Outputs, in the order of the model."""

    @property
    def run(self) -> Run:
        """Run it once."""

    @property
    def new_options(self) -> Callable[[], RunOptions]:
        """Makes options for a run that may have to be ended."""

    @property
    def can_end(self) -> bool:
        """A run ends soon after its options were terminated."""


class LoadSettings(NamedTuple):
    """Settings of a model that is loaded.

    Attributes:
        threads: Of each operator; 0: the backend decides.
        streams: Runs that may happen at the same time.
        arena: Keep the memory of runs, where the backend has the choice.
        acceleration: Execution providers, where the backend has such.
    """

    threads: int = 0
    streams: int = 1
    arena: bool = True
    acceleration: Acceleration = CPU_ALONE


def type_name(dtype: str) -> str:
    """Return onnxruntime's name for a numpy type."""
    return "tensor({})".format(_NAMES.get(dtype, dtype))


def open_sizes(shape: Sequence[int]) -> Tuple[object, ...]:
    """Return a shape with None for each negative size."""
    return tuple(int(size) if size >= 0 else None for size in shape)


def contiguous(array: np.ndarray) -> np.ndarray:
    """Return an array whose elements lie in the order of its axes; itself where they do."""
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


class Pool(Generic[T]):
    """Objects of which each serves one run at a time; made when all others are busy."""

    def __init__(self, make: Callable[[], T], first: T) -> None:
        self._make = make
        self._free = [first]
        self._lock = threading.Lock()

    def take(self) -> T:
        """Return a free object."""
        with self._lock:
            if self._free:
                return self._free.pop()
        return self._make()

    def give(self, one: T) -> None:
        """Put an object back; the next run takes it first, as its memory is in the caches."""
        with self._lock:
            self._free.append(one)
