"""The likelihood of given continuations, for questions with choices."""

from __future__ import annotations

from typing import Dict, List, Sequence

import numpy as np

from .distance import log_probabilities
from .pair import ModelPair
from .prompts import prompt_text
from .request import ScoredPrompt
from .sequence import TokenSequence


def score_choices(pair: ModelPair, prompt: ScoredPrompt, now: str) -> Dict[str, object]:
    """Return the log-probabilities of the choices, by the model and by the reference.

    A choice is scored by its tokens after those that the prompt has alone. Where the border of
    both falls into a token, this token counts with the choice.
    """
    text, special = prompt_text(prompt, pair.models[-1].facts, now)
    before = pair.encode(text, prompt.id, special)
    found: Dict[str, object] = {"id": prompt.id}
    whole = [pair.encode(text + one, prompt.id, special) for one in prompt.choices]
    for index, name in enumerate(("model", "reference")[: len(pair.models)]):
        sequence = pair.alone(index)
        found[name] = [_likelihood(sequence, pair.begin, before, one) for one in whole]
    return found


def _likelihood(
    sequence: TokenSequence, begin: Sequence[int], before: Sequence[int], whole: Sequence[int]
) -> float:
    """Return the sum of the log-probabilities of the tokens that follow the prompt's."""
    common = 0
    for one, other in zip(before, whole):
        if one != other:
            break
        common += 1
    tokens: List[int] = [*begin, *whole]
    first = max(1, len(begin) + common)
    truth = tokens[first:]
    if not truth:
        return 0.0
    total, place = 0.0, 0
    for rows in sequence.scores(tokens[:-1], len(truth)):
        wanted = truth[place : place + len(rows)]
        total += float(log_probabilities(rows)[np.arange(len(rows)), wanted].sum())
        place += len(rows)
    return total
