"""A language model of bytes whose next token follows from all that came before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy

from studio.runtime.generate.text_model import BackendFailed, ContextFull, Part, TextModelFacts

END = 256
BEGIN = 257
VOCABULARY = 258
LETTERS = b"abcdefghijklmnopqrstuvwxyz"
TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def letters(sequence: Sequence[int]) -> int:
    """Return a letter that depends on every token of a sequence and on their order."""
    mixed = 7
    for token in sequence:
        mixed = (mixed * 31 + token + 1) % 1_000_003
    return LETTERS[mixed % len(LETTERS)]


def script(text: bytes) -> Callable[[Sequence[int]], int]:
    """Return a rule that writes a text after any prompt that ends with a newline, then ends."""

    def following(sequence: Sequence[int]) -> int:
        if ord("\n") not in sequence:
            return ord("?")
        newline = len(sequence) - 1 - list(reversed(sequence)).index(ord("\n"))
        place = len(sequence) - 1 - newline
        return text[place] if place < len(text) else END

    return following


class ByteModel:
    """A ``TextModel`` in a few lines; a slot holds what was run in it.

    Attributes:
        runs: The tokens of each part of each run.
        gate: Runs wait for it.
        broken: Runs fail.
    """

    def __init__(
        self,
        following: Callable[[Sequence[int]], int] = letters,
        slots: int = 2,
        context: int = 64,
        batch: int = 32,
        *,
        template: str = TEMPLATE,
        rewinds: bool = True,
    ) -> None:
        self._following = following
        self._held: list[list[int]] = [[] for _ in range(slots)]
        self._rewinds = rewinds
        self.facts = TextModelFacts(
            "1.0",
            VOCABULARY,
            context,
            slots,
            batch,
            begin=(BEGIN,),
            ends=frozenset({END}),
            template=template,
            begin_text="<s>",
            end_text="</s>",
        )
        self.runs: list[list[tuple[int, ...]]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False
        self.closed = False

    def encode(self, text: str, special: bool = False) -> list[int]:
        """Return the bytes."""
        return list(text.encode())

    def piece(self, token: int) -> bytes:
        """Return the byte; special tokens have none."""
        return bytes([token]) if token < END else b""

    def run(self, parts: Sequence[Part]) -> list[numpy.ndarray]:
        """Run parts; scores are 10 for the token that follows and below 1 for all others."""
        self.gate.wait(20)
        if self.broken:
            raise BackendFailed("The processor is on fire.")
        assert sum(len(part.tokens) for part in parts) <= self.facts.batch
        assert len({part.slot for part in parts}) == len(parts)
        for part in parts:
            if len(self._held[part.slot]) + len(part.tokens) > self.facts.context:
                raise ContextFull
        self.runs.append([tuple(part.tokens) for part in parts])
        return [self._scores(part) for part in parts]

    def keep(self, slot: int, tokens: int) -> int:
        """Drop what a slot holds after its first tokens."""
        count = min(tokens, len(self._held[slot]))
        count = count if self._rewinds or count == len(self._held[slot]) else 0
        del self._held[slot][count:]
        return count

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def _scores(self, part: Part) -> numpy.ndarray:
        rows = []
        for place, token in enumerate(part.tokens):
            self._held[part.slot].append(token)
            if place < len(part.tokens) - part.scores:
                continue
            row = numpy.linspace(0, 1, VOCABULARY, dtype=numpy.float32)
            row[self._following(self._held[part.slot])] = 10
            rows.append(row)
        return numpy.array(rows, numpy.float32).reshape(-1, VOCABULARY)


def alone(prompt: Sequence[int], most: int) -> str:
    """Return what ``letters`` answers to a prompt."""
    held = list(prompt)
    for _ in range(most):
        held.append(letters(held))
    return bytes(held[len(prompt) :]).decode()
