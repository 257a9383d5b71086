"""Labels of a classifier's scores."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Sequence, Union

import numpy as np

from ..protocol.tensors import TensorSpec

BEST = 5

Ranked = List[Dict[str, Union[str, int, float]]]
"""The best classes of one sample, best first: label, index, score."""


def classified(
    arrays: Mapping[str, np.ndarray], outputs: Mapping[str, TensorSpec], labels: Sequence[str]
) -> Optional[List[Ranked]]:
    """Return the best classes of each sample; None when no output has a score for each label.

    Args:
        arrays: Outputs by name, a sample a row.
    """
    for name, array in arrays.items():
        kind = outputs[name].kind.dtype
        wanted = (len(array), len(labels)) if array.ndim else ()
        if labels and kind is not None and kind.kind == "f" and array.shape == wanted:
            return [ranked(scores, labels) for scores in array]
    return None


def ranked(scores: np.ndarray, labels: Sequence[str]) -> Ranked:
    """Return the best few classes; scores that are no probabilities go through a softmax first."""
    values = np.nan_to_num(probabilities(scores.astype(np.float64)))
    best = np.argsort(-values, kind="stable")[:BEST]
    return [
        {"label": labels[index], "index": int(index), "score": round(float(values[index]), 6)}
        for index in best
    ]


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Return the scores if all are within 0 and 1, otherwise their softmax; NaN stays NaN."""
    known = scores[~np.isnan(scores)]
    if not len(known) or (known.min() >= -1e-6 and known.max() <= 1 + 1e-6):
        return scores
    with np.errstate(invalid="ignore"):  # two infinite scores
        powers = np.exp(scores - known.max())
        shares: np.ndarray = powers / np.nansum(powers)
    return shares
