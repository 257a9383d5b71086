"""Timed answers of several sequences at once, in the candidate's process."""

from __future__ import annotations

import time
from typing import Iterator, NamedTuple, Sequence

import numpy

from ...bench.measures.streams import RestingCollector
from ...bench.tokens.answers import TokenBlock
from ..text_model import Part, TextModel, TextModelFacts

Tokens = Sequence[int]

_SETTLE = 2
"""Untimed tokens before a block: they refill the caches that other candidates took."""


class ForcedRequest(NamedTuple):
    """A prompt, and the tokens that follow the first one of its answer."""

    prompt: Tokens
    answer: Tokens


def forced(facts: TextModelFacts, count: int, seed: int) -> list[int]:
    """Return random tokens that end nothing, the same for the same seed and vocabulary."""
    drawn = numpy.random.RandomState(seed).randint(0, facts.vocabulary, count)
    other = next(one for one in range(facts.vocabulary) if one not in facts.ends)
    return [other if int(one) in facts.ends else int(one) for one in drawn]


def answer(model: TextModel, request: ForcedRequest, streams: int) -> TokenBlock:
    """Let some streams read a prompt and write an answer whose tokens are given.

    After each run the token with the highest score is looked for, as a greedy sampler does, and
    the given one follows. So all candidates do equal work. The first token comes of the scores
    that follow the prompt: its time is that of the prefill, without a decode.
    """
    _settle(model, request)
    clock, cpu_clock = time.perf_counter_ns, time.process_time_ns
    first = [0] * streams
    tokens: list[int] = []
    with RestingCollector():
        cpu, start = cpu_clock(), clock()
        for parts in prefill_runs(request.prompt, streams, model.facts.batch):
            scores = model.run(parts)
            for part, rows in zip(parts, scores):
                if part.scores:
                    int(rows[-1].argmax())
                    first[part.slot] = clock() - start
        middle, last = cpu_clock(), clock()
        for token in request.answer:
            for rows in model.run([Part(slot, (token,)) for slot in range(streams)]):
                int(rows[-1].argmax())
            now = clock()
            tokens.append(now - last)
            last = now
        wall, end = clock() - start, cpu_clock()
    return TokenBlock(len(request.prompt), first, tokens, wall, end - cpu, end - middle)


def prefill_runs(prompt: Tokens, streams: int, batch: int) -> Iterator[list[Part]]:
    """Yield the runs that read the prompt in every slot, the first slot first.

    A run is as full as it may be: the end of one prompt and the beginning of the next share it.
    """
    parts: list[Part] = []
    room = batch
    for slot in range(streams):
        place = 0
        while place < len(prompt):
            piece = prompt[place : place + room]
            place += len(piece)
            room -= len(piece)
            parts.append(Part(slot, piece, int(place == len(prompt))))
            if not room:
                yield parts
                parts, room = [], batch
    if parts:
        yield parts


def _settle(model: TextModel, request: ForcedRequest) -> None:
    """Run a few untimed tokens, then empty every slot."""
    for slot in range(model.facts.slots):
        model.keep(slot, 0)
    for _ in range(_SETTLE):
        model.run([Part(0, request.prompt[:1])])
    model.keep(0, 0)
