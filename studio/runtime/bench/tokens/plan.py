"""Plan of a measurement in tokens: prompts, answers, streams and contexts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

MEASURES = ("first", "token", "all")
"""Time to the first token, between two tokens of a stream, and of a token over all streams."""


@dataclass(frozen=True)
class TokenPlan:
    """Work of each candidate; equal for all, as the tokens of the answers are forced.

    Attributes:
        lengths: Tokens of each prompt. A round uses one of them, the same for all candidates.
        texts: Prompts instead of lengths; each candidate's own tokenizer reads them.
        answer: Tokens of each answer, the first one included.
        streams: Numbers of sequences that are answered at once, each measured.
        contexts: Tokens that the memory is measured with, in processes of their own.
        context: Tokens of a slot; 0: as many as the longest prompt with its answer needs.
    """

    lengths: Sequence[int] = (128,)
    texts: Sequence[str] = ()
    answer: int = 32
    streams: Sequence[int] = (1,)
    contexts: Sequence[int] = ()
    context: int = 0

    @property
    def room(self) -> int:
        """Tokens of a slot that every prompt fits in; a text has at most a token for each byte."""
        if self.context:
            return self.context
        longest = max((len(one.encode("utf-8", "replace")) for one in self.texts), default=0)
        return max([longest, *(() if self.texts else self.lengths)]) + self.answer + _BEGIN

    @property
    def prompts(self) -> int:
        """Number of prompts."""
        return len(self.texts or self.lengths)


_BEGIN = 8
"""Room for tokens in front of a text, and for those of the warm-up."""


def cell(label: str, measure: str, streams: int) -> str:
    """Return the name of a measure of a candidate in the rounds."""
    return "{}|{}|{}".format(label, measure, streams)


def cell_parts(name: str) -> tuple[str, str, int]:
    """Candidate, measure and number of streams of a cell's name."""
    label, measure, streams = name.rsplit("|", 2)
    return label, measure, int(streams)
