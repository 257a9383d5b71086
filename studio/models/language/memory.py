"""Memory that a language model will take, predicted from its files and its facts.

The constants were measured with SmolLM2-135M on x86-64: the peak of resident memory of a process
with a full cache. Versions were llama-cpp-py-sync 0.11739 and onnxruntime-genai 0.18.
``studio profile --contexts`` shows the error of a prediction.
"""

from __future__ import annotations

from collections.abc import Mapping

from studio.api import LanguageModel, Model
from studio.lazy_dataclass import dataclass
from studio.models.language.precisions import stored_weights

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
        step: The cache grows in steps of this number of tokens.
        widths: Activations of a token of a run, in widths of the model as float32.
        mask: For each token of a run with each token of the context.
        logits: Rows of scores over the vocabulary: False for one in all, True for each token.
        fixed: Buffers of any size of a run.
        repacks: Whether some types of weights are held twice.
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
    repacks: bool = False


LAWS: Mapping[str, MemoryLaw] = {
    "llama-cpp": MemoryLaw(
        process=46 * _MIB,
        entry=387,
        weights=1.0,
        numbers={"f16": 2.0, "int8": 34 / 32, "int4": 18 / 32},
        step=256,
        widths=10.4,
        mask=4.0,
        logits=False,
        fixed=4 * _MIB,
        repacks=True,
    ),
    "onnxruntime-genai": MemoryLaw(
        process=76 * _MIB,
        entry=640,
        weights=1.47,
        numbers={"f16": 4.0},
        step=1,
        widths=18.1,
        mask=0.0,
        logits=True,
        fixed=0,
    ),
}
"""By the id of the backend.

ONNX Runtime packs weights of ``MatMulNBits`` once more (1.47 from models of 30 and of 8 layers).
Its cache on a processor is in float32, whatever is requested, and each token of a run has scores.
"""

_REPACKED = frozenset({"q4_0", "q4_k"})
"""Types of which llama.cpp holds a second copy for the processor, next to the mapped file.

On x86-64; measured as equal to their bytes for these, and as none for ``q3_k``, ``q4_1``, ``q5_0``,
``q5_k``, ``q6_k`` and ``q8_0``.
"""


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


def repacked_bytes(model: Model) -> int:
    """Return the bytes of weights of which llama.cpp holds a second copy."""
    return sum(one.nbytes for one in stored_weights(model) if one.precision in _REPACKED)


def memory_need(
    facts: LanguageModel,
    files: int,
    backend: str,
    context: int,
    settings: MemorySettings = DEFAULTS,
    repacked: int = 0,
) -> MemoryNeed | None:
    """Return the memory of a process that holds a model with full slots.

    Args:
        files: Bytes of the model's files, without those of the tokenizer.
        backend: Id of the backend, one of ``LAWS``.
        context: Tokens of each slot.
        repacked: Bytes of weights that llama.cpp holds twice, see ``repacked_bytes``.

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
        weights=round(files * law.weights) + repacked * law.repacks,
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
    repacked: int = 0,
) -> int:
    """Return the most tokens of context that fit in some bytes; 0 where none do.

    Arguments are those of ``memory_need``; the context of the model is never exceeded.
    """
    low, high = 0, facts.context or 1 << 20
    while low < high:
        middle = (low + high + 1) // 2
        need = memory_need(facts, files, backend, middle, settings, repacked)
        if need is not None and need.total <= available:
            low = middle
        else:
            high = middle - 1
    return low
