"""A language model that a backend has loaded: tokens in, scores of the next token out."""

from __future__ import annotations

from typing import FrozenSet, List, NamedTuple, Protocol, Sequence, Tuple

import numpy as np

from ..shared.cache_types import CACHE_TYPES
from ..shared.documents import read_record


class TextSettings(NamedTuple):
    """Settings of a language model that is loaded.

    Attributes:
        threads: Of each run; 0: one for each processor that may be used.
        slots: Sequences that are held at the same time.
        context: Tokens of each slot; 0: as many as the model was made for.
        batch: Tokens of one run at most, over all slots.
        cache: Precision of the cache of keys and values, one of ``CACHE_TYPES``.
        answer: Tokens of an answer to a request that cannot say how long it may be.
        queue: Requests that may wait for a slot.
        queue_tokens: Tokens of the requests that wait, with their answers; 0 for no limit.
        total: Tokens of one prompt with its answer; 0 for the context.
        drift: Requests that become the reference for drift; 0: it is not watched.
    """

    threads: int = 0
    slots: int = 1
    context: int = 0
    batch: int = 512
    cache: str = CACHE_TYPES[0]
    answer: int = 128
    queue: int = 64
    queue_tokens: int = 0
    total: int = 0
    drift: int = 256


_MOST_SLOTS = 64
_MOST_CONTEXT = 1 << 24
_MOST_BATCH = 1 << 16
_MOST_QUEUED = 1 << 40
_MOST_DRIFT = 4096


class _Generation(NamedTuple):
    """The part ``generation`` of a bundle's manifest."""

    context: int = 0
    slots: int = 1
    batch: int = 512
    cache: str = CACHE_TYPES[0]
    queue_tokens: int = 0
    max_total_tokens: int = 0
    drift: int = 256


def text_settings(content: object) -> TextSettings:
    """Return the settings in a manifest; the usual ones where it has none.

    Raises:
        ValueError: in one sentence, when they are none.
    """
    if content is None:
        return TextSettings()
    try:
        found = read_record(_Generation, content)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ValueError("it has other keys or types than expected.") from None
    limits = (
        *(("slots", 1, _MOST_SLOTS), ("context", 0, _MOST_CONTEXT), ("batch", 1, _MOST_BATCH)),
        *(("queue_tokens", 0, _MOST_QUEUED), ("max_total_tokens", 0, _MOST_CONTEXT)),
        ("drift", 0, _MOST_DRIFT),
    )
    for name, least, most in limits:
        if not least <= getattr(found, name) <= most:
            raise ValueError("{} is from {} to {}.".format(name, least, most))
    if found.cache not in CACHE_TYPES:
        raise ValueError("cache is one of {}.".format(", ".join(CACHE_TYPES)))
    return TextSettings(
        slots=found.slots,
        context=found.context,
        batch=found.batch,
        cache=found.cache,
        queue_tokens=found.queue_tokens,
        total=found.max_total_tokens,
        drift=found.drift,
    )


class TextModelFacts(NamedTuple):
    """Facts of a loaded language model.

    Attributes:
        version: Version of the backend.
        vocabulary: Number of tokens that have a score.
        context: Tokens that a slot holds.
        slots: Sequences that are held at the same time.
        batch: Tokens of one run at most, over all slots.
        begin: Tokens in front of every text, where the tokenizer wants such.
        ends: Tokens that end an answer.
        template: The chat template in the model; empty without one.
        width: Numbers of the vector of a text; 0 where the backend gives none.
        begin_text, end_text: Names of the tokens that begin and end a text, for templates.
    """

    version: str
    vocabulary: int
    context: int
    slots: int
    batch: int
    begin: Tuple[int, ...] = ()
    ends: FrozenSet[int] = frozenset()
    template: str = ""
    width: int = 0
    begin_text: str = ""
    end_text: str = ""


class Part(NamedTuple):
    """Tokens that follow those which a slot already holds.

    Attributes:
        scores: Number of its last tokens after which scores are wanted; 0 for none.
    """

    slot: int
    tokens: Sequence[int]
    scores: int = 1


class ContextFull(Exception):
    """A slot that has no room for further tokens."""


class BackendFailed(Exception):
    """A run that failed in the backend, in one sentence; what its slots hold is not known."""


class TextModel(Protocol):
    """A language model in memory, used by one thread at a time."""

    @property
    def facts(self) -> TextModelFacts:
        """Its facts, which never change."""

    def encode(self, text: str, special: bool = False) -> List[int]:
        """Return the tokens of a text, without those of ``facts.begin``.

        Args:
            special: Names of special tokens in the text (``<|im_start|>``) become these tokens;
                set it for what a template has written, never for the words of a user alone.
        """

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token; empty for special tokens, or an end in a character."""

    def run(self, parts: Sequence[Part]) -> List[np.ndarray]:
        """Run tokens of several slots together.

        Returns:
            Scores before softmax for each part: float32, (scores, vocabulary). They may be
            overwritten by the next run.

        Raises:
            ContextFull: when a slot lacks the room; nothing was run.
            BackendFailed: when the backend fails.
        """

    def keep(self, slot: int, tokens: int) -> int:
        """Drop what a slot holds after its first tokens; return how many it holds now.

        That may be fewer than wanted: some backends can only empty a slot.
        """

    def close(self) -> None:
        """Free its memory; it is not used afterwards."""
