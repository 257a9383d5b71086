"""Behaviour of a model over its answers: refusals, length, repetition, loops.

Repetition is the share of repeated groups of four words: Welleck and others, "Neural text
generation with unlikelihood training" (2020), seq-rep-4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy

from studio.evaluation.language.results import AnswerBehaviour
from studio.evaluation.language.statistics import mean_of, proportion

REFUSALS = (
    r"\bI(?:'m| am) (?:very |really |so )?sorry\b",
    r"\bI (?:can(?:'t|not| not)|won't|will not|am unable to|am not able to|must decline)\b",
    r"\bI(?:'m| am) (?:unable|not able|not allowed|not permitted|not programmed)\b",
    r"\bI (?:do not|don't) feel comfortable\b",
    r"\bas an (?:AI|artificial intelligence)\b",
    r"\b(?:it is|it's|that is|that's) (?:not appropriate|inappropriate)\b",
    r"\bagainst my (?:guidelines|programming|policy|policies)\b",
)
"""Patterns of refusals in English; a refusal in another form is not found."""

_REFUSAL = re.compile("|".join(REFUSALS), re.IGNORECASE)
_HEAD = 160
"""Characters of an answer in which a refusal has to begin."""

_GROUP = 4
_LONGEST_LOOP = 40
_TIMES = 3
_LEAST_WORDS = 9
"""Words of three repetitions, at least: short ones such as *ha ha ha* are no loop."""


def is_refusal(answer: str) -> bool:
    """Return whether an answer begins as refusals do."""
    head = answer.strip()[:_HEAD].replace("’", "'")
    return _REFUSAL.search(head) is not None


def repetition(answer: str) -> float:
    """Return the share of groups of four words that occurred before in the answer."""
    words = answer.split()
    groups = [tuple(words[place : place + _GROUP]) for place in range(len(words) - _GROUP + 1)]
    return 1 - len(set(groups)) / len(groups) if groups else 0.0


def is_loop(answer: str) -> bool:
    """Return whether an answer ends with the same words at least three times in a row."""
    words = answer.split()
    for period in range(1, min(_LONGEST_LOOP, len(words) // _TIMES) + 1):
        times = max(_TIMES, -(-_LEAST_WORDS // period))
        tail = words[-period * times :]
        if len(tail) == period * times and tail == tail[-period:] * times:
            return True
    return False


def behaviour(answers: Sequence[tuple[str, int, str]]) -> AnswerBehaviour | None:
    """Return the behaviour over answers; None without any.

    Args:
        answers: Text, number of tokens, and why it ended, of each.
    """
    count = len(answers)
    if not count:
        return None
    texts = [text for text, _, _ in answers]
    return AnswerBehaviour(
        answers=count,
        refusals=proportion(sum(map(is_refusal, texts)), count),
        tokens=mean_of(numpy.array([float(tokens) for _, tokens, _ in answers])),
        unfinished=proportion(sum(end in ("limit", "context") for _, _, end in answers), count),
        repetition=mean_of(numpy.array([repetition(one) for one in texts])),
        loops=proportion(sum(map(is_loop, texts)), count),
    )
