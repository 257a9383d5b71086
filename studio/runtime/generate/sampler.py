"""The choice of the next token from the scores of all tokens."""

from __future__ import annotations

import math
from collections import Counter
from typing import Callable, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

_FEW = 512
"""Most probable tokens that are looked at before all are sorted."""


class Sampling(NamedTuple):
    """Settings of the choice of tokens, as OpenAI's interface names them.

    Attributes:
        temperature: 0 takes the most probable token.
        top_p: Share of the probability that the tokens to choose from have together.
        top_k: Number of tokens to choose from; 0 for all.
        min_p: Least probability of a token, as a share of that of the most probable one.
        seed: Of the random numbers; None for another with each request.
        presence, frequency: Taken from the score of a token that the answer has, once and for
            each time.
        bias: Added to the scores of tokens.
        alternatives: Number of most probable tokens to report with each; None for no report.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: Optional[int] = None
    presence: float = 0.0
    frequency: float = 0.0
    bias: Mapping[int, float] = {}
    alternatives: Optional[int] = None


GREEDY = Sampling(temperature=0.0)


class Choice(NamedTuple):
    """A chosen token.

    Attributes:
        probability: Natural logarithm of its probability before temperature; 0 without a report.
        alternatives: The most probable tokens with theirs.
    """

    token: int
    probability: float = 0.0
    alternatives: Tuple[Tuple[int, float], ...] = ()


class Sampler:
    """Chooses the tokens of one answer.

    The same scores, settings and seed give the same tokens. Nucleus sampling (``top_p``) is that
    of Holtzman et al. 2020.
    """

    def __init__(self, settings: Sampling) -> None:
        self._settings = settings
        self._random = np.random.Generator(np.random.PCG64(settings.seed))
        self._counts: Counter[int] = Counter()
        self._plain = not (settings.presence or settings.frequency or settings.bias)

    def choose(
        self, scores: np.ndarray, admits: Optional[Callable[[int], bool]] = None
    ) -> Optional[Choice]:
        """Return the next token.

        Args:
            scores: Before softmax, float32, of each token.
            admits: Whether a token may follow; all may by default.

        Returns:
            None where no token may follow.
        """
        scores = scores if self._plain else self._adjusted(scores)
        token = self._pick(scores, admits)
        if token is None:
            return None
        if not self._plain:
            self._counts[token] += 1
        if self._settings.alternatives is None:
            return Choice(token)
        return _reported(scores, token, self._settings.alternatives)

    def _adjusted(self, scores: np.ndarray) -> np.ndarray:
        scores = scores.copy()
        for token, count in self._counts.items():
            scores[token] -= self._settings.presence + self._settings.frequency * count
        for token, bias in self._settings.bias.items():
            if 0 <= token < len(scores):
                scores[token] += bias
        return scores

    def _pick(self, scores: np.ndarray, admits: Optional[Callable[[int], bool]]) -> Optional[int]:
        if self._settings.temperature <= 0:
            best = int(scores.argmax())
            if admits is None or admits(best):
                return best
            return next((token for token in _descending(scores) if admits(token)), None)
        if admits is None:
            return self._draw(*self._candidates(scores))
        return self._draw_admitted(scores, admits)

    def _draw_admitted(self, scores: np.ndarray, admits: Callable[[int], bool]) -> Optional[int]:
        """Return a token that may follow: one that may not is left out, and drawn again.

        That is the distribution over the tokens which may follow, without a look at each of them.
        """
        tokens, weights = self._candidates(scores)
        weights = weights.copy()
        for _ in range(len(tokens)):
            if not weights.sum() > 0:
                break
            place = self._draw_place(weights)
            if admits(int(tokens[place])):
                return int(tokens[place])
            weights[place] = 0.0
        return next((token for token in _descending(scores) if admits(token)), None)

    def _candidates(self, scores: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return tokens to choose from with their weights."""
        settings = self._settings
        scaled = (scores - scores.max()) / settings.temperature
        weights = np.exp(scaled, dtype=np.float32)
        tokens = np.arange(len(scores))
        if settings.top_k and settings.top_k < len(scores):
            tokens = np.argpartition(scores, -settings.top_k)[-settings.top_k :]
            weights = weights[tokens]
        if settings.min_p > 0:
            held = weights >= settings.min_p * weights.max()
            tokens, weights = tokens[held], weights[held]
        if settings.top_p < 1:
            tokens, weights = _nucleus(tokens, weights, settings.top_p)
        return tokens, weights

    def _draw(self, tokens: np.ndarray, weights: np.ndarray) -> int:
        return int(tokens[self._draw_place(weights)])

    def _draw_place(self, weights: np.ndarray) -> int:
        sums = np.cumsum(weights, dtype=np.float64)
        place = int(np.searchsorted(sums, self._random.random() * sums[-1], side="right"))
        return min(place, len(weights) - 1)


def _nucleus(
    tokens: np.ndarray, weights: np.ndarray, share: float
) -> Tuple[np.ndarray, np.ndarray]:
    """Return the fewest tokens that have a share of the weight, the heaviest first."""
    wanted = share * float(weights.sum(dtype=np.float64))
    for count in (_FEW, len(weights)):
        if count < len(weights):
            few = np.argpartition(weights, -count)[-count:]
        else:
            few = np.arange(len(weights))
        order = few[np.argsort(-weights[few], kind="stable")]
        sums = np.cumsum(weights[order], dtype=np.float64)
        if sums[-1] >= wanted or count >= len(weights):
            break
    order = order[: int(np.searchsorted(sums, wanted)) + 1]
    return tokens[order], weights[order]


def _descending(scores: np.ndarray) -> List[int]:
    found: List[int] = np.argsort(-scores, kind="stable").tolist()
    return found


def _reported(scores: np.ndarray, token: int, count: int) -> Choice:
    norm = log_sum(scores)
    best = np.argpartition(scores, -count)[-count:] if count else np.arange(0)
    best = best[np.argsort(-scores[best], kind="stable")]
    rows = tuple((int(one), float(scores[one]) - norm) for one in best)
    return Choice(token, float(scores[token]) - norm, rows)


def log_sum(scores: np.ndarray) -> float:
    """Return the logarithm of the sum of exponentials of scores."""
    top = float(scores.max())
    return top + math.log(float(np.exp(scores - top, dtype=np.float64).sum()))
