"""Answers of a model and of its reference to the same prompt, token by token."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from ..text_model import ContextFull, TextModel
from .distance import log_probabilities
from .pair import ModelPair
from .prompts import prompt_text
from .request import ScoredPrompt, ScoreError
from .sequence import TokenSequence

ENDED, STOPPED, LIMIT, CONTEXT = "end", "stop", "limit", "context"
"""Why an answer ends: by the model, by a stop text, at the most tokens, at a full context."""


class WrittenAnswer:
    """An answer on its way.

    Attributes:
        tokens: Its tokens.
        reason: Why it has ended; empty while it has not.
    """

    def __init__(self, model: TextModel, prompt: ScoredPrompt) -> None:
        self.tokens: List[int] = []
        self.reason = ""
        self._bytes = b""
        self._model, self._stop = model, [one.encode() for one in prompt.stop if one]
        self._limit = prompt.limit

    @property
    def text(self) -> str:
        """The text, without the stop text that ended it."""
        cut = min((place for place in map(self._bytes.find, self._stop) if place >= 0), default=-1)
        content = self._bytes if cut < 0 else self._bytes[:cut]
        return content.decode("utf-8", "replace")

    def add(self, token: int) -> None:
        """Take the next token, or end with it."""
        if token in self._model.facts.ends:
            self.reason = ENDED
            return
        self.tokens.append(token)
        self._bytes += self._model.piece(token)
        if any(one in self._bytes for one in self._stop):
            self.reason = STOPPED
        elif len(self.tokens) >= self._limit:
            self.reason = LIMIT

    def as_json(self) -> Dict[str, object]:
        """Return its text, the number of its tokens, and why it ended."""
        return {"text": self.text, "tokens": len(self.tokens), "end": self.reason}


class TokenChoice:
    """The choice of a token: the most probable one, or a drawn one."""

    def __init__(self, temperature: float, seed: int) -> None:
        self._temperature = temperature
        self._random = np.random.RandomState(seed % (1 << 32))

    def choose(self, scores: np.ndarray) -> int:
        """Return a token for these scores."""
        if self._temperature <= 0:
            return int(scores.argmax())
        shares = np.exp(log_probabilities(scores / self._temperature))
        drawn = int(np.searchsorted(shares.cumsum(), self._random.rand()))
        return min(drawn, len(shares) - 1)


def write_answers(
    pair: ModelPair, prompt: ScoredPrompt, settings: Tuple[float, int, str]
) -> Dict[str, object]:
    """Return the answers to a prompt, and where those of both models part.

    Args:
        settings: Temperature, seed, and the date for templates.

    Raises:
        ScoreError: when the prompt is longer than the context.
    """
    temperature, seed, now = settings
    text, special = prompt_text(prompt, pair.models[-1].facts, now)
    tokens = [*pair.begin, *pair.encode(text, prompt.id, special)]
    if not tokens:
        raise ScoreError("The prompt {} has no tokens.".format(prompt.id))
    answers = [WrittenAnswer(one, prompt) for one in pair.models]
    choices = [TokenChoice(temperature, seed) for _ in pair.models]
    try:
        split = _together(pair, tokens, answers, choices)
    except ContextFull:
        split = None
        for one in answers:
            one.reason = one.reason or CONTEXT
    for index, answer in enumerate(answers):
        _alone(pair.alone(index), tokens, answer, choices[index])
    if not any(one.tokens for one in answers) and answers[0].reason == CONTEXT:
        room = pair.model.facts.context
        sentence = "The prompt {} has {:,} tokens, more than the context of {:,}."
        raise ScoreError(sentence.format(prompt.id, len(tokens), room))
    found: Dict[str, object] = {"id": prompt.id, "model": answers[0].as_json(), "split": split}
    if len(answers) > 1:
        found["reference"] = answers[1].as_json()
    return found


def _together(
    pair: ModelPair,
    tokens: Sequence[int],
    answers: Sequence[WrittenAnswer],
    choices: Sequence[TokenChoice],
) -> Optional[Dict[str, object]]:
    """Write both answers as long as they agree; return the first difference, None without one."""
    while not answers[0].reason:
        ours, theirs = pair.last([*tokens, *answers[0].tokens])
        mine = choices[0].choose(ours)
        other = mine if theirs is None else choices[1].choose(theirs)
        place = len(answers[0].tokens)
        answers[0].add(mine)
        if theirs is not None:
            answers[1].add(other)
        if theirs is not None and mine != other:
            return _difference(pair, place, (mine, other), (ours, theirs))
    return None


def _alone(
    sequence: TokenSequence, tokens: Sequence[int], answer: WrittenAnswer, sampler: TokenChoice
) -> None:
    """Write an answer to its end."""
    try:
        while not answer.reason:
            answer.add(sampler.choose(sequence.last([*tokens, *answer.tokens])))
    except ContextFull:
        answer.reason = CONTEXT


def _difference(
    pair: ModelPair, place: int, tokens: Tuple[int, int], scores: Tuple[np.ndarray, np.ndarray]
) -> Dict[str, object]:
    """Return the first tokens that differ, each with its probability by both models."""
    ours, theirs = (np.exp(log_probabilities(one)) for one in scores)
    named = {
        name: {
            "token": _piece(pair.model, token),
            "candidate": float(ours[token]),
            "reference": float(theirs[token]),
        }
        for name, token in zip(("model", "reference"), tokens)
    }
    return {"place": place, **named}


def _piece(model: TextModel, token: int) -> str:
    if token in model.facts.ends:
        return "<end>"
    return (model.piece(token) or "<{}>".format(token).encode()).decode("utf-8", "replace")
