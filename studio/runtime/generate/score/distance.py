"""Distances of two distributions of the next token, in float64."""

from __future__ import annotations

from typing import Dict, Optional, Sequence

import numpy as np

from .request import ScoreError

LEAST = -1e5
"""Logarithm of a probability of 0, so that sums stay finite."""

Columns = Dict[str, np.ndarray]
"""Arrays by name, each with a value for every position."""


def log_probabilities(scores: np.ndarray) -> np.ndarray:
    """Return the natural logarithms of the softmax of each row, as float64.

    Raises:
        ScoreError: for scores that are not numbers, such as a broken model gives.
    """
    wide = scores.astype(np.float64)
    top = wide.max(axis=-1, keepdims=True)
    if not np.isfinite(top).all():
        raise ScoreError("The model gives scores that are not numbers.")
    wide -= top
    wide -= np.log(np.exp(wide).sum(axis=-1, keepdims=True))
    return np.maximum(wide, LEAST)


def columns(scores: np.ndarray, reference: Optional[np.ndarray], truth: Sequence[int]) -> Columns:
    """Return the figures of some positions.

    Args:
        scores: Before softmax, (positions, vocabulary).
        reference: The same by the model that is compared with; None without one.
        truth: The token that follows in the text, for each position.

    Returns:
        ``logp`` of the true token, ``entropy`` in nats and ``top``, the most probable token. With
        a reference also these of it (``logp_reference`` ...). ``kl`` is the Kullback-Leibler
        divergence of the model from the reference, in nats. Others are probabilities that each
        gives to its own and to the other's most probable token.
    """
    rows = np.arange(len(truth))
    candidate = log_probabilities(scores)
    found = _own(candidate, truth, "")
    if reference is None:
        return found
    true = log_probabilities(reference)
    found.update(_own(true, truth, "_reference"))
    found["kl"] = np.maximum(0.0, (np.exp(true) * (true - candidate)).sum(axis=-1))
    mine, theirs = found["top"], found["top_reference"]
    found["p_top"] = np.exp(candidate[rows, mine])
    found["p_top_reference"] = np.exp(true[rows, theirs])
    found["p_of_reference_top"] = np.exp(candidate[rows, theirs])
    found["p_reference_of_top"] = np.exp(true[rows, mine])
    return found


def _own(logs: np.ndarray, truth: Sequence[int], suffix: str) -> Columns:
    rows = np.arange(len(truth))
    return {
        "logp" + suffix: logs[rows, np.asarray(truth, np.int64)],
        "entropy" + suffix: -(np.exp(logs) * logs).sum(axis=-1),
        "top" + suffix: logs.argmax(axis=-1).astype(np.int32),
    }
