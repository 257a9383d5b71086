"""The slots of a model: what each of them holds, and the one that suits a prompt best."""

from __future__ import annotations

from typing import List, Optional, Sequence

from .request import Generation
from .sampler import Sampler
from .text_model import TextModel
from .text_stream import TextStream

_WORTH = 0.5
"""Share of a prompt that a slot has to hold, so that it is taken for the prompt's sake."""


class Slot:
    """A sequence of the model.

    Attributes:
        held: Tokens in its cache; they stay after an answer, for a prompt that begins like it.
        generation: What it generates; None while it is free.
        pending: Tokens that are still to be run.
        used: Number of the step in which it was last used.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.held: List[int] = []
        self.generation: Optional[Generation] = None
        self.pending: List[int] = []
        self.used = 0
        self.sampler: Optional[Sampler] = None
        self.text = TextStream()

    @property
    def is_decoding(self) -> bool:
        """Whether its prompt was run, and one token follows the other."""
        return self.generation is not None and self.generation.produced > 0

    def take(self, generation: Generation, model: TextModel) -> None:
        """Begin an answer; what the cache holds of the prompt is not run again.

        The last token of a prompt always is, as its scores are needed.
        """
        request = generation.request
        prompt = list(request.tokens)
        same = min(common(self.held, prompt), len(prompt) - 1)
        same = model.keep(self.number, same)
        self.held = prompt[:same]
        self.pending = prompt[same:]
        self.generation = generation
        self.sampler = Sampler(request.sampling)
        self.text = TextStream(request.stops, request.filter)
        generation.cached = same

    def free(self) -> None:
        """End its answer; the cache stays."""
        self.generation = None
        self.pending = []
        self.sampler = None

    def clear(self, model: TextModel) -> None:
        """Empty its cache, too."""
        self.free()
        model.keep(self.number, 0)
        self.held = []


def suited(slots: Sequence[Slot], prompt: Sequence[int]) -> Optional[Slot]:
    """Return the free slot for a prompt: one that holds much of it, or the longest unused one."""
    free = [slot for slot in slots if slot.generation is None]
    if not free:
        return None
    best = max(free, key=lambda slot: common(slot.held, prompt))
    if common(best.held, prompt) >= _WORTH * len(prompt):
        return best
    return min(free, key=lambda slot: slot.used)


def common(held: Sequence[int], prompt: Sequence[int]) -> int:
    """Return the number of tokens that two sequences begin with."""
    for place, (one, other) in enumerate(zip(held, prompt)):
        if one != other:
            return place
    return min(len(held), len(prompt))
