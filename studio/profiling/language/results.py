"""Figures of a language model in a profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.lazy_dataclass import dataclass
from studio.runtime.bench.facts import Percentiles


@dataclass(frozen=True, slots=True)
class PromptLengths:
    """Tokens of the prompts that were read, and of each answer."""

    count: int = 0
    p50: float | None = None
    p95: float | None = None
    answer: int = 0


@dataclass(frozen=True, slots=True)
class TokenSetting:
    """A language model that answers a number of streams at once.

    Attributes:
        first_ms: Time to the first token of each stream, which is that of the prefill.
        token_ms: Time between two tokens of a stream.
        prefill_per_second: Tokens of prompts that are read a second, over all streams.
        per_second: Tokens of answers that are written a second, over all streams.
        low, high: Its confidence interval; None where the rounds are too few for one.
        cores_used: Processors that the tokens of answers keep busy.
    """

    streams: int
    first_ms: Percentiles = field(default_factory=Percentiles)
    token_ms: Percentiles = field(default_factory=Percentiles)
    prefill_per_second: float | None = None
    per_second: float | None = None
    low: float | None = None
    high: float | None = None
    cores_used: float | None = None
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class MemoryAt:
    """Memory of a process whose cache holds a number of tokens, in MiB.

    Attributes:
        predicted_mb: From the files and the facts of the model; None where these are missing.
        parts: The parts of the prediction.
        measured_mb: The peak of a process of its own; None where it was not measured.
        error: Prediction over measurement, less 1.
        reason: Why it was not measured.
        streams: Slots of this context.
    """

    context: int
    predicted_mb: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    measured_mb: float | None = None
    error: float | None = None
    reason: str = ""
    streams: int = 1


@dataclass(frozen=True, slots=True)
class TokenRun:
    """A language model on a backend.

    Attributes:
        context: Tokens that a slot held.
    """

    prompts: PromptLengths = field(default_factory=PromptLengths)
    context: int | None = None
    settings: tuple[TokenSetting, ...] = ()
    memory: tuple[MemoryAt, ...] = ()
