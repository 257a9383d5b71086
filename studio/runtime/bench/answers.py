"""The answers of a candidate's process to the bench."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping


@dataclass(frozen=True)
class Loaded:
    """A model that was loaded; inputs and description are as the runner gives them."""

    inputs: list[dict[str, Any]]
    describe: Mapping[str, Any]
    import_ms: float
    load_ms: float
    memory_base_mb: float


@dataclass(frozen=True)
class FirstInference:
    """The very first inference, and the names of outputs that are no arrays."""

    first_ms: float
    not_compared: list[str]


@dataclass(frozen=True)
class StreamBlock:
    """Inferences of parallel streams.

    Attributes:
        per_second: The sum of the streams' own rates, each up to the end of its last inference,
            so that none is counted in part.
        times_ns: Of single inferences; of many, every so-manieth.
    """

    count: int
    per_second: float
    wall_ns: int
    cpu_ns: int
    times_ns: list[int]


@dataclass(frozen=True)
class ArrivalBlock:
    """Requests that came by themselves.

    Attributes:
        due_ns, latency_ns: Of the answered requests, in their order.
        over: Requests that took longer than the limit.
        start_delay_ns: Of those that a free stream waited for.
        waiting_most: Most requests that waited at once.
    """

    due_ns: list[int]
    latency_ns: list[int]
    over: int
    start_delay_ns: list[int]
    waiting_most: int
    aborted: bool


@dataclass(frozen=True)
class OperatorBlock:
    """Kernels as the runner gives them, and an inference without and with profiling."""

    operators: list[dict[str, Any]]
    plain_us: float | None = None
    profiled_us: float | None = None


@dataclass(frozen=True)
class PeakMemory:
    """The peak of the whole process so far, in MiB."""

    memory_mb: float
