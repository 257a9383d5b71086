"""From the vectors of the tokens to that of the text, as Sentence-BERT does (Reimers 2019)."""

from __future__ import annotations

from typing import Sequence

import numpy as np

from .settings import CLS, LAST, MAX, MEAN_SQRT, NONE

_LEAST = 1e-9
_SHORTEST = 1e-12


def pooled(states: np.ndarray, mask: np.ndarray, poolings: Sequence[str]) -> np.ndarray:
    """Return a vector for each text, those of several poolings behind each other.

    Args:
        states: Vectors of the tokens: (texts, tokens, width), or (texts, width) for ``none``.
        mask: 1 for each token, 0 for what fills a text up: (texts, tokens).

    Raises:
        ValueError: when the model's output has another form.
    """
    states = states.astype(np.float32)
    if list(poolings) == [NONE]:
        if states.ndim != 2 or len(states) != len(mask):
            raise ValueError("The model did not give one vector for each text.")
        return states
    if states.ndim != 3 or states.shape[:2] != mask.shape:
        raise ValueError("The model did not give one vector for each token.")
    return np.concatenate([_pooled(states, mask, one) for one in poolings], axis=1)


def _pooled(states: np.ndarray, mask: np.ndarray, pooling: str) -> np.ndarray:
    if pooling == CLS:
        return np.asarray(states[:, 0])
    if pooling == LAST:
        last = np.maximum(mask.sum(axis=1).astype(np.int64), 1) - 1
        return np.asarray(states[np.arange(len(states)), last])
    weights = mask.astype(np.float32)[:, :, None]
    if pooling == MAX:
        return np.asarray(np.where(weights > 0, states, np.float32(-1e9)).max(axis=1))
    count = np.maximum(weights.sum(axis=1), _LEAST)
    total = (states * weights).sum(axis=1)
    return np.asarray(total / (np.sqrt(count) if pooling == MEAN_SQRT else count))


def normalized(vectors: np.ndarray) -> np.ndarray:
    """Return vectors of the length 1; one of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, _SHORTEST))
