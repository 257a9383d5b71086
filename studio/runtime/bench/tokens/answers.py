"""The answers of a language model's process to the bench."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TextLoaded:
    """A language model that was loaded.

    Attributes:
        context: Tokens that a slot holds.
    """

    version: str
    vocabulary: int
    context: int
    threads: int
    import_ms: float
    load_ms: float
    memory_base_mb: float


@dataclass(frozen=True)
class PreparedPrompts:
    """Number of tokens of each prompt, in this model's own tokens."""

    lengths: list[int]


@dataclass(frozen=True)
class FilledMemory:
    """Memory of a process whose cache was filled, in MiB.

    Attributes:
        peak_mb: Most resident memory since the start of the process.
        shared_mb: Its proportional share; None where the system does not count it.
        filled: Tokens in the cache.
    """

    peak_mb: float
    shared_mb: float | None
    filled: int


@dataclass(frozen=True)
class TokenBlock:
    """Answers to one prompt by a number of streams that start together.

    Attributes:
        first_ns: Time to the first token of each stream, from the common start.
        token_ns: Time of each further token, which all streams get together.
        wall_ns, cpu_ns: Of the whole block; CPU time is that of all threads.
        decode_cpu_ns: CPU time of the further tokens.
    """

    prompt: int
    first_ns: list[int]
    token_ns: list[int]
    wall_ns: int
    cpu_ns: int
    decode_cpu_ns: int
