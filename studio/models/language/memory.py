"""Memory that a language model will take, predicted from its files and its facts.

The laws and their constants were measured with SmolLM2-135M (x86-64, llama.cpp of
llama-cpp-py-sync 0.11739, onnxruntime-genai 0.18) as the peak of resident memory of a process whose
cache is full. ``tests/benchmarks/bench_language_memory.py`` measures them again.
"""

from __future__ import annotations

from collections.abc import Mapping

from studio.api import LanguageModel
from studio.lazy_dataclass import dataclass

_MIB = 1 << 20
_FLOAT = 4


@dataclass(frozen=True, slots=True)
class MemoryLaw:
    """Constants of a backend, in bytes where nothing else is said.

    Attributes:
        process: The interpreter, numpy and the backend's libraries.
        entry: For each entry of the vocabulary: the tokenizer.
        weights: Bytes of memory for each byte of the model's files.
        numbers: Bytes of a number in the cache by its precision, scales of blocks included.
        step: The cache grows in steps of so many tokens.
        widths: Activations of a token of a run, in widths of the model as float32.
        mask: For each token of a run with each token of the context.
        logits: Rows of scores over the vocabulary: False for one in all, True for each token.
        fixed: Buffers of any size of a run.
    """

    process: int
    entry: int
    weights: float
    numbers: Mapping[str, float]
    step: int
    widths: float
    mask: float
    logits: bool
    fixed: int


LAWS: Mapping[str, MemoryLaw] = {
    "llama-cpp": MemoryLaw(
        process=43 * _MIB,
        entry=387,
        weights=1.0,
        numbers={"f16": 2.0, "int8": 34 / 32, "int4": 18 / 32},
        step=256,
        widths=10.4,
        mask=4.0,
        logits=False,
        fixed=4 * _MIB,
    ),
}
"""By the id of the backend."""


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """Settings on which the memory of a language model depends.

    Attributes:
        slots: Sequences that are held at the same time, each with the whole context.
        cache: Precision of the cache, one of ``f16``, ``int8`` and ``int4``.
        batch: Tokens of the largest run.
    """

    slots: int = 1
    cache: str = "f16"
    batch: int = 512


DEFAULTS = MemorySettings()


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes of a process that runs a language model, by what takes them.

    Attributes:
        cache: Keys and values of all slots, for the whole context.
        compute: Activations and scores of the largest run.
        process: The interpreter, the backend's libraries and the tokenizer.
    """

    weights: int
    cache: int
    compute: int
    process: int

    @property
    def total(self) -> int:
        """The sum."""
        return self.weights + self.cache + self.compute + self.process

    @property
    def parts(self) -> dict[str, int]:
        """Each part by its name."""
        names = ("weights", "cache", "compute", "process")
        return {name: getattr(self, name) for name in names}


def memory_need(
    facts: LanguageModel,
    files: int,
    backend: str,
    context: int,
    settings: MemorySettings = DEFAULTS,
) -> MemoryNeed | None:
    """Return the memory of a process that holds a model with full slots.

    Args:
        files: Bytes of the model's files, without those of the tokenizer.
        backend: Id of the backend, one of ``LAWS``.
        context: Tokens of each slot.

    Returns:
        None where the backend or a fact is unknown, or the backend has no such cache.
    """
    law = LAWS.get(backend)
    number = law.numbers.get(settings.cache) if law else None
    if law is None or number is None or facts.width is None or facts.vocabulary is None:
        return None
    each = facts.cache_bytes(number)
    if each is None:
        return None
    room = -(-context // law.step) * law.step
    run = min(settings.batch, context * settings.slots)
    rows = run if law.logits else settings.slots
    activations = run * law.widths * facts.width * _FLOAT + run * room * law.mask
    scores = rows * facts.vocabulary * _FLOAT
    return MemoryNeed(
        weights=round(files * law.weights),
        cache=each * room * settings.slots,
        compute=round(activations + scores) + law.fixed,
        process=law.process + law.entry * facts.vocabulary,
    )


def largest_context(
    facts: LanguageModel,
    files: int,
    backend: str,
    available: int,
    settings: MemorySettings = DEFAULTS,
) -> int:
    """Return the most tokens of context that fit in some bytes; 0 where none do.

    Arguments are those of ``memory_need``; the context of the model is never exceeded.
    """
    low, high = 0, facts.context or 1 << 20
    while low < high:
        middle = (low + high + 1) // 2
        need = memory_need(facts, files, backend, middle, settings)
        if need is not None and need.total <= available:
            low = middle
        else:
            high = middle - 1
    return low
